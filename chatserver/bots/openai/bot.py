"""A bot that a language model speaks for."""

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing, contextmanager

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.budget import Budget
from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.endpoint import Endpoint, explained
from chatserver.bots.openai.estimate import estimate, estimate_messages
from chatserver.bots.openai.failures import ContextTooLong, Failure, Transient
from chatserver.bots.openai.folding import NOTHING_SAID, folding
from chatserver.bots.openai.observer import ModelObserver
from chatserver.bots.openai.prompt import Message, messages
from chatserver.bots.openai.retry import pause_before
from chatserver.bots.openai.view import View
from chatserver.chat.models import BotInfo, Event
from chatserver.chat.ports import ReplyContext

Spend = Callable[[int], None]

AT_ONCE_SECONDS = 0.01
"""An answer that came within, as from a cache, says nothing of its model's pace."""


class OpenAiBot:
    """`chat.ports.Bot` in front of an endpoint that speaks OpenAI's chat completions.

    No piece is empty, and no request is made after the first: a caller that got none may let
    another bot answer instead. What the model thinks before it answers is not yielded.
    """

    def __init__(
        self, declaration: ModelBotDeclaration, key: str | None, observer: ModelObserver
    ) -> None:
        """`key` is the value of the declared variable; None where it is not set."""
        self.info = BotInfo(name=declaration.name, description=declaration.description)
        self._declaration = declaration
        self._endpoint = Endpoint(declaration, key, observer)
        self._random = random.Random()
        self._budget = Budget(declaration.context_tokens, declaration.max_tokens)
        self._view = View(declaration, self._budget)

    async def reply(self, context: ReplyContext) -> AsyncGenerator[str, None]:
        """Raises `BotError`: `model_unavailable`, `model_timeout`, `model_refused`,
        `context_too_long`, `quota_exceeded` or `bot_not_configured`.

        Only an answer that the endpoint called finished ends without one.
        """
        with explained(), closing(Deadlines(self._declaration)) as deadlines:
            async with aclosing(self._answer(context, deadlines)) as pieces:
                async for piece in pieces:
                    yield piece

    @property
    def remembers(self) -> bool:
        return self._declaration.remember

    def shown_from(self, context: ReplyContext) -> int:
        """The window's beginning; of a budget, that of its newest part."""
        return self._view.kept_from(context)

    async def fold(self, memory: str | None, turns: Sequence[Event]) -> str:
        """Asks the model once. Raises `BotError` as `reply` does, and `empty_answer`."""
        request = folding(memory, turns, self.info.name, self._budget.room)
        if not request:
            return memory or NOTHING_SAID
        estimated = estimate_messages(request)
        with self._one_request() as deadlines:
            try:
                answer = await self._endpoint.upstream.complete(request, deadlines)
            except ContextTooLong as failure:
                self._budget.refused(estimated, 0, failure.stated)
                raise
        self._endpoint.used(answer.usage)
        if answer.usage is not None:
            self._budget.counted(estimated, answer.usage.prompt)
        return answer.text

    async def check(self) -> None:
        """Makes the cheapest live call there is, once. Raises `BotError` as `reply` does."""
        with self._one_request() as deadlines:
            self._endpoint.used(await self._endpoint.upstream.check(deadlines))

    async def close(self) -> None:
        """Ends the connections that were kept. Nothing can be asked afterwards."""
        await self._endpoint.close()

    @contextmanager
    def _one_request(self) -> Iterator[Deadlines]:
        """One that no reply makes."""
        with (
            explained(),
            self._endpoint.counting(),
            closing(Deadlines(self._declaration)) as deadlines,
        ):
            yield deadlines

    async def _answer(
        self, context: ReplyContext, deadlines: Deadlines
    ) -> AsyncGenerator[str, None]:
        """One request after the other until a piece comes, with less context where it must be."""
        system, name, events = self._declaration.prompt, self.info.name, context.messages
        allowed = most = self._view.most(context)
        memory = self._view.memory(context)
        attempt = 0
        while True:
            said = False
            window, memory = self._view.choose(events, most, memory)
            prompt = messages(system, events, name, window, memory)
            try:
                async with aclosing(self._ask(prompt, deadlines, context.spend)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
                if window < allowed:
                    self._budget.held_back()
                return
            except Failure as failure:
                self._endpoint.failed(failure)
                if said:
                    raise
                if isinstance(failure, ContextTooLong):
                    least = estimate_messages(messages(system, events, name, 1))
                    self._budget.refused(estimate_messages(prompt), least, failure.stated)
                    if window > 1 or memory is not None:
                        most, memory = (window - 1, memory) if window > 1 else (1, None)
                        continue
                pause = self._pause(failure, attempt, deadlines)
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause)

    async def _ask(
        self, prompt: list[Message], deadlines: Deadlines, spend: Spend
    ) -> AsyncGenerator[str, None]:
        usage: Usage | None = None
        taken, said = False, 0.0
        began = ended = 0.0
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self._endpoint.upstream.stream(prompt, deadlines)) as chunks:
                async for chunk in chunks:
                    taken, usage = True, chunk.usage or usage
                    said += estimate(chunk.reasoning) + estimate(chunk.text)
                    if chunk.text:
                        began = began or clock()
                        yield chunk.text
                    if chunk.finished:
                        ended = ended or clock()
        finally:
            estimated = estimate_messages(prompt)
            if usage is None and taken:
                # Of a stream that was cut short nobody tells; the model worked before its first
                # word as well.
                spend(math.ceil((estimated + said) * self._budget.ratio))
            if usage is not None:
                spend(usage.prompt + usage.completion)
                self._endpoint.used(usage)
                self._budget.counted(estimated, usage.prompt)
            self._paced(usage, ended - began if began else 0.0)

    def _pause(self, failure: Failure, attempt: int, deadlines: Deadlines) -> float | None:
        """Seconds until the next attempt; None where there is none."""
        if not isinstance(failure, Transient) or attempt >= self._declaration.retries:
            return None
        pause = pause_before(attempt, failure.retry_after, self._random)
        return None if pause is None or pause >= deadlines.left else pause

    def _paced(self, usage: Usage | None, seconds: float) -> None:
        """`seconds` from the first piece to the end of the answer, not positive without them."""
        said = usage.completion - usage.reasoning if usage is not None else 0
        if said > 0 and seconds > AT_ONCE_SECONDS:
            self._endpoint.paced(said / seconds)
