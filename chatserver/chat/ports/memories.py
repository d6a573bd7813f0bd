"""What bots remember, as a transaction sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Memory:
    """A bot's summary of a session, of nothing later than `through_seq`."""

    through_seq: int
    text: str
    updated_at: datetime


class Memories(Protocol):
    """One to a bot of a session. A session's end is theirs, and see `Log` for what else is."""

    def get(self, session_id: str, bot: str) -> Memory | None: ...
    def put(self, session_id: str, bot: str, memory: Memory) -> None:
        """Takes the place of what the bot remembered."""
        ...
