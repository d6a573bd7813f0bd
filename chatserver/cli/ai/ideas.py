"""What to say of one's own accord."""

import random
from collections.abc import Sequence
from typing import Protocol

from chatserver.cli.ai.conversation import Conversation
from chatserver.cli.ai.door import Report
from chatserver.cli.ai.voice import Voice

INSTRUCTION = (
    "Nobody has asked you anything. Say something new of your own accord that fits the conversation"
    " so far: one or two sentences of plain text, without a greeting, and not what was said before."
)
TRIES = 3
"""How often a bot that repeats itself is asked for something else."""


class Ideas(Protocol):
    async def next(self) -> str | None:
        """Something else than the last time; None: there is nothing to say now."""
        ...


class LinesOfText:
    """Random lines of a fixed text. None comes again before all others have come."""

    def __init__(self, lines: Sequence[str], rng: random.Random | None = None) -> None:
        self._lines = list(dict.fromkeys(lines))
        self._random = rng or random.Random()
        self._left: list[str] = []
        self._last: str | None = None

    async def next(self) -> str | None:
        if not self._left:
            self._left = self._random.sample(self._lines, len(self._lines))
            if self._left[-1] == self._last:
                self._left.insert(0, self._left.pop())
        line = self._left.pop()
        if line == self._last:
            return None
        self._last = line
        return line


class BotsIdeas:
    """A bot is asked for something new, in view of what was said."""

    def __init__(self, voice: Voice, conversation: Conversation, report: Report) -> None:
        self._voice = voice
        self._conversation = conversation
        self._report = report
        self._last: str | None = None

    async def next(self) -> str | None:
        for _ in range(TRIES):
            text = await self._voice.answer(self._conversation.asked_for(INSTRUCTION))
            if text is None:
                return None
            if text != self._last:
                self._last = text
                return text
        self._report("the bot repeats itself; this time nothing is said")
        return None
