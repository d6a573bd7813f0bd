"""A bot that a language model speaks for."""

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, closing

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.budget import Budget
from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.estimate import estimate, estimate_messages
from chatserver.bots.openai.failures import ContextTooLong, Failure, NotConfigured, Transient
from chatserver.bots.openai.folding import NOTHING_SAID, folding
from chatserver.bots.openai.observer import ModelObserver
from chatserver.bots.openai.prompt import Message, messages
from chatserver.bots.openai.retry import pause_before
from chatserver.bots.openai.upstream import Upstream
from chatserver.bots.openai.view import View
from chatserver.chat.models import BotInfo, Event
from chatserver.chat.ports import ReplyContext, unpaid

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
        self._observer = observer
        self._random = random.Random()
        self._budget = Budget(declaration.context_tokens, declaration.max_tokens)
        self._view = View(declaration, self._budget)
        self._upstream: Upstream | None = None
        if declaration.key_variable is None or (key is not None and fits_header(key)):
            self._upstream = Upstream(declaration, key)

    async def reply(self, context: ReplyContext) -> AsyncGenerator[str, None]:
        """Raises `BotError`: `model_unavailable`, `model_timeout`, `model_refused`,
        `context_too_long`, `quota_exceeded` or `bot_not_configured`.

        Only an answer that the endpoint called finished ends without one.
        """
        with closing(Deadlines(self._declaration)) as deadlines:
            try:
                async with aclosing(self._answer(context, deadlines)) as pieces:
                    async for piece in pieces:
                        yield piece
            except Failure as failure:
                raise failure.bot_error() from failure

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
        try:
            try:
                with closing(Deadlines(self._declaration)) as deadlines:
                    answer = await self._live().complete(request, deadlines)
            except Failure as failure:
                self._observer.failed(self.info.name, failure.kind)
                if isinstance(failure, ContextTooLong):
                    self._budget.refused(estimated, 0, failure.stated)
                raise
        except Failure as failure:
            raise failure.bot_error() from failure
        self._used(answer.usage, unpaid)
        if answer.usage is not None:
            self._budget.counted(estimated, answer.usage.prompt)
        return answer.text

    async def check(self) -> None:
        """Makes the cheapest live call there is, once. Raises `BotError` as `reply` does."""
        try:
            try:
                with closing(Deadlines(self._declaration)) as deadlines:
                    self._used(await self._live().check(deadlines), unpaid)
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
                self._observer.failed(self.info.name, failure.kind)
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
        said = 0.0
        began = ended = 0.0
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self._live().stream(prompt, deadlines)) as chunks:
                async for chunk in chunks:
                    usage = chunk.usage or usage
                    if chunk.text:
                        began = began or clock()
                        said += estimate(chunk.text)
                        yield chunk.text
                    if chunk.finished:
                        ended = ended or clock()
        finally:
            estimated = estimate_messages(prompt)
            if usage is None and said:
                # Of a stream that was cut short nobody tells.
                spend(math.ceil((estimated + said) * self._budget.ratio))
            self._used(usage, spend)
            self._paced(usage, ended - began if began else 0.0)
            if usage is not None:
                self._budget.counted(estimated, usage.prompt)

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

    def _used(self, usage: Usage | None, spend: Spend) -> None:
        if usage is not None:
            spend(usage.prompt + usage.completion)
            self._observer.used(self.info.name, usage.prompt, usage.completion, usage.reasoning)

    def _paced(self, usage: Usage | None, seconds: float) -> None:
        """`seconds` from the first piece to the end of the answer, not positive without them."""
        said = usage.completion - usage.reasoning if usage is not None else 0
        if said > 0 and seconds > AT_ONCE_SECONDS:
            self._observer.paced(self.info.name, said / seconds)


def fits_header(key: str) -> bool:
    """A line feed that was read along with the key would not."""
    return key.isascii() and key.isprintable() and bool(key) and " " not in key
