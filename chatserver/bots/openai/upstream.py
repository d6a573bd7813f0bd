"""One request to an endpoint that speaks OpenAI's chat completions.

The package's client does authentication, redirects and errors, on our own `transport`. The rest is
done here: its retries know nothing of our deadlines, its timeouts are defeated by keep-alive
comments, and its model for each chunk costs several times what reading the line does.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from typing import Any, cast

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, Omit, Timeout

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.body import Body
from chatserver.bots.openai.chunks import Chunk, Usage, read_chunks
from chatserver.bots.openai.completion import Completion, read_choice, read_completion
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.failures import Cut, Failure, Garbage, OutputLimit, UnknownLimit
from chatserver.bots.openai.limit import LIMIT, LimitField
from chatserver.bots.openai.lines import DataLines
from chatserver.bots.openai.prompt import Message
from chatserver.bots.openai.statuses import failure_of_connection, failure_of_status
from chatserver.bots.openai.transport import AiohttpTransport

GATHER_SECONDS = 0.05
"""How long further text is left in the socket: people are told no more often."""
TURN_SECONDS = 0.01
"""Replies are read at multiples of it."""
FULL_BYTES = 2**14
"""A block of this size was not all that waited: the next is read at once."""

BODY_BYTES = 2**20
"""The longest body of an answer that is not streamed."""

_HELLO: list[Message] = [{"role": "user", "content": "Hi"}]


class Upstream:
    """The endpoint of one bot. Keeps connections; `close` ends them."""

    def __init__(self, declaration: ModelBotDeclaration, key: str | None) -> None:
        self._model = declaration.model
        given = {"temperature": declaration.temperature, LIMIT: declaration.max_tokens}
        self._declared = {field: value for field, value in given.items() if value is not None}
        # Given none, the package would take a key, and whom to bill, from the environment; those
        # are not meant for this endpoint.
        self._client = AsyncOpenAI(
            api_key=key or "none",
            base_url=str(declaration.base_url),
            max_retries=0,
            timeout=Timeout(None, connect=declaration.connect_seconds),
            http_client=httpx2.AsyncClient(transport=AiohttpTransport(), follow_redirects=True),
        )
        self._client.organization = self._client.project = None
        self._limit = LimitField(declaration.base_url.host)
        self._headers: dict[str, str | Omit] = {} if key else {"Authorization": Omit()}

    async def stream(
        self, messages: list[Message], deadlines: Deadlines
    ) -> AsyncGenerator[Chunk, None]:
        """What comes, block by block, until the answer is whole. Raises `Failure`.

        Begins with a chunk that says nothing, once the endpoint has taken the request. The first
        text is yielded as it comes, later ones every `GATHER_SECONDS`. Reads to the end of the
        body, beyond `[DONE]`, so that the connection can be used again. Closing the generator
        closes the connection, and so tells the endpoint to stop.
        """
        deadlines.asked()
        finished = False
        fields = {"stream": True, "stream_options": {"include_usage": True}}
        async with AsyncExitStack() as stack:
            body = await self._open(messages, fields, deadlines, stack)
            yield Chunk()
            lines = DataLines()
            try:
                block = b"begin"
                while block:
                    block = await _next(body, deadlines)
                    chunk, failure = read_chunks(lines.feed(block) if block else lines.flush())
                    yield chunk
                    if chunk.finished and not finished:
                        finished = True
                        deadlines.finished()
                    if failure is not None:
                        raise failure
                    if not finished and chunk.said:
                        deadlines.heard(GATHER_SECONDS)
                        if chunk.text and len(block) < FULL_BYTES:
                            body.hold(_next_turn())
            except Failure:
                # The answer is whole: what breaks after it harms nobody.
                if not finished:
                    raise
        if not finished:
            raise Cut("the body ended before the answer")

    async def complete(
        self,
        messages: list[Message],
        deadlines: Deadlines,
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> Completion:
        """The whole answer at once. Raises `Failure`, `Empty` and `Refused` included.

        `extra` are further fields of the request, stronger than the declared ones; its `max_tokens`
        goes by the name that the endpoint knows. One deadline counts, the total: nothing can be
        heard of an answer in the making. On every way out the connection is closed or free again.
        """
        deadlines.asked_at_once()
        return read_completion(await self._body(messages, extra or {}, deadlines))

    async def check(self, deadlines: Deadlines) -> Usage | None:
        """Asks for an answer of one token. Raises `Failure`."""
        deadlines.asked()
        try:
            _, usage = read_choice(await self._body(_HELLO, {LIMIT: 1}, deadlines))
        except OutputLimit:
            # Models that reason call one token too few; that they do is an answer.
            return None
        return usage

    async def close(self) -> None:
        await self._client.close()

    async def _body(
        self, messages: list[Message], fields: Mapping[str, Any], deadlines: Deadlines
    ) -> bytes:
        read = bytearray()
        async with AsyncExitStack() as stack:
            body = await self._open(messages, fields, deadlines, stack)
            while block := await _next(body, deadlines):
                read += block
                if len(read) > BODY_BYTES:
                    raise Garbage("a body without end")
        return bytes(read)

    async def _open(
        self,
        messages: list[Message],
        fields: Mapping[str, Any],
        deadlines: Deadlines,
        stack: AsyncExitStack,
    ) -> Body:
        """The response's body; `stack` closes it.

        Where the endpoint does not know the limit by its name, it is asked by the other.
        """
        fields = {**self._declared, **fields}
        while True:
            name = self._limit.name
            named = {name if field == LIMIT else field: value for field, value in fields.items()}
            try:
                return await self._request(messages, named, deadlines, stack)
            except UnknownLimit:
                if LIMIT not in fields or not self._limit.refused(name):
                    raise

    async def _request(
        self,
        messages: list[Message],
        fields: dict[str, Any],
        deadlines: Deadlines,
        stack: AsyncExitStack,
    ) -> Body:
        responses = self._client.chat.completions.with_streaming_response
        try:
            manager = responses.create(
                model=self._model,
                messages=(),
                **fields,
                extra_headers=self._headers,
                # Not as the argument: each message given there costs 140 us of type checks.
                extra_body={"messages": messages},
            )
            response = await deadlines.keep(lambda: stack.enter_async_context(manager))
        except APIStatusError as error:
            raise failure_of_status(error) from None
        except APIConnectionError as error:
            raise failure_of_connection(error.__cause__ or error) from None
        except httpx2.HTTPError as error:  # while the body of an error is read
            raise failure_of_connection(error) from None
        return cast(Body, response.http_response.extensions["body"])


async def _next(body: Body, deadlines: Deadlines) -> bytes:
    """A block, empty at the end. Raises `Failure`."""
    try:
        return await deadlines.keep(body.read)
    except httpx2.HTTPError as error:
        raise failure_of_connection(error) from None


def _next_turn() -> float:
    """When to read again, in the event loop's time.

    Replies are read at the same moments, so that the process wakes once for several of them.
    """
    due = asyncio.get_running_loop().time() + GATHER_SECONDS
    return round(due / TURN_SECONDS) * TURN_SECONDS
