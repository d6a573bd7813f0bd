"""A bot that a test speaks through."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from chatserver.chat.models import BotInfo
from chatserver.chat.ports import BotError, ReplyContext


class ScriptedBot:
    """Says what it is told to, when it is told to.

    Each `say` is one piece of the current reply; `end` ends it; `fail` breaks it off. A reply that
    begins later finds what is left of the script. `contexts` are those it was asked with, `closed`
    counts the replies that were closed, whichever way out they took.
    """

    def __init__(self, name: str = "scripted") -> None:
        self.info = BotInfo(name=name, description="says what a test tells it to")
        self.contexts: list[ReplyContext] = []
        self.closed = 0
        self._script: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    def say(self, *pieces: str) -> "ScriptedBot":
        for piece in pieces:
            self._script.put_nowait(piece)
        return self

    def end(self) -> None:
        self._script.put_nowait(None)

    def fail(self, error: Exception | None = None) -> None:
        self._script.put_nowait(
            error or BotError("model_unavailable", "The model is away.", retryable=True)
        )

    def answers(self, texts: Sequence[str]) -> "ScriptedBot":
        """One whole reply for each text."""
        for text in texts:
            self.say(text).end()
        return self

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        self.contexts.append(context)
        try:
            while (step := await self._script.get()) is not None:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed += 1
