"""A bot that a language model speaks for."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, closing

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.failures import ContextTooLong, Failure, NotConfigured, Transient
from chatserver.bots.openai.observer import ModelObserver
from chatserver.bots.openai.prompt import Message, conversation, messages
from chatserver.bots.openai.retry import pause_before
from chatserver.bots.openai.upstream import Upstream
from chatserver.chat.models import BotInfo, Event
from chatserver.chat.ports import ReplyContext


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
        self._observer = observer
        self._random = random.Random()
        self._upstream: Upstream | None = None
        if declaration.key_variable is None or (key is not None and _fits_header(key)):
            self._upstream = Upstream(declaration, key)

    async def reply(self, context: ReplyContext) -> AsyncGenerator[str, None]:
        """Raises `BotError`: `model_unavailable`, `model_timeout`, `model_refused`,
        `context_too_long`, `quota_exceeded` or `bot_not_configured`.

        Only an answer that the endpoint called finished ends without one.
        """
        with closing(Deadlines(self._declaration)) as deadlines:
            try:
                async with aclosing(self._answer(conversation(context), deadlines)) as pieces:
                    async for piece in pieces:
                        yield piece
            except Failure as failure:
                raise failure.bot_error() from failure

    async def check(self) -> None:
        """Makes the cheapest live call there is, once. Raises `BotError` as `reply` does."""
        try:
            try:
                with closing(Deadlines(self._declaration)) as deadlines:
                    self._used(await self._live().check(deadlines))
            except Failure as failure:
                self._observer.failed(self.info.name, failure.kind)
                raise
        except Failure as failure:
            raise failure.bot_error() from failure

    async def close(self) -> None:
        """Ends the connections that were kept. Nothing can be asked afterwards."""
        if self._upstream is not None:
            await self._upstream.close()

    async def _answer(
        self, events: Sequence[Event], deadlines: Deadlines
    ) -> AsyncGenerator[str, None]:
        """One request after the other until a piece comes, with less context where it must be."""
        window = min(self._declaration.window, len(events))
        attempt = 0
        while True:
            said = False
            prompt = messages(self._declaration.prompt, events, self.info.name, window)
            try:
                async with aclosing(self._ask(prompt, deadlines)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
                return
            except Failure as failure:
                self._observer.failed(self.info.name, failure.kind)
                if said:
                    raise
                if isinstance(failure, ContextTooLong) and window > 1:
                    window //= 2
                    continue
                pause = self._pause(failure, attempt, deadlines)
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause)

    async def _ask(self, prompt: list[Message], deadlines: Deadlines) -> AsyncGenerator[str, None]:
        usage: Usage | None = None
        try:
            async with aclosing(self._live().stream(prompt, deadlines)) as chunks:
                async for chunk in chunks:
                    usage = chunk.usage or usage
                    if chunk.text:
                        yield chunk.text
        finally:
            self._used(usage)

    def _pause(self, failure: Failure, attempt: int, deadlines: Deadlines) -> float | None:
        """Seconds until the next attempt; None where there is none."""
        if not isinstance(failure, Transient) or attempt >= self._declaration.retries:
            return None
        pause = pause_before(attempt, failure.retry_after, self._random)
        return None if pause is None or pause >= deadlines.left else pause

    def _live(self) -> Upstream:
        if self._upstream is None:
            raise NotConfigured(f"no usable key in {self._declaration.key_variable}")
        return self._upstream

    def _used(self, usage: Usage | None) -> None:
        if usage is not None:
            self._observer.used(self.info.name, usage.prompt, usage.completion, usage.reasoning)


def _fits_header(key: str) -> bool:
    """A line feed that was read along with the key would not."""
    return key.isascii() and key.isprintable() and bool(key) and " " not in key
