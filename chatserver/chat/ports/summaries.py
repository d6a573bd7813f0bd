"""What sums a session up."""

from collections.abc import Sequence
from typing import Protocol

from chatserver.chat.models import Event
from chatserver.chat.summary import Digest


class Titler(Protocol):
    async def title(self, messages: Sequence[Event]) -> str:
        """A title for a session that begins with these messages, as `titles.clean_title` makes it;
        empty where nothing suits. May take seconds."""
        ...


class Summarizer(Protocol):
    async def digest(self, messages: Sequence[Event], asker: str) -> Digest:
        """What the messages are about, for that participant. May take seconds; never blocks the
        event loop.
        """
        ...
