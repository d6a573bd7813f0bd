"""Where an AI listens and speaks."""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from chatserver.cli.ai.line import Line

Report = Callable[[str], None]
"""Tells whoever started the AI, never the room."""


class Door(Protocol):
    """A way into a room. It connects again by itself; what it cannot mend, it raises."""

    def heard(self) -> AsyncIterator[Line]:
        """What others say, in order. For one reader. Ends where the room does."""
        ...

    async def say(self, text: str, key: str) -> None:
        """Says it once: until there is a connection it waits.

        `key` names this line among all that this AI ever says here. What the room refuses is
        reported, and what is longer than it takes is cut.
        """
        ...
