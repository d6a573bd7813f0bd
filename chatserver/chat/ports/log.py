"""The events of sessions, as a transaction sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatserver.chat.events import EventData
from chatserver.chat.models import Event, Participant


@dataclass(frozen=True, slots=True)
class ParticipantCount:
    """How much one participant said in a session."""

    participant: Participant
    messages: int


class Log(Protocol):
    """The events of sessions. `append` alone gives out sequence numbers."""

    def append(self, session_id: str, sender: Participant, data: EventData, at: datetime) -> Event:
        """Assigns the next `seq` of the session within this transaction."""
        ...

    def get(self, session_id: str, seq: int) -> Event | None: ...
    def after(self, session_id: str, after_seq: int, limit: int) -> list[Event]:
        """Ascending from `after_seq + 1`."""
        ...

    def before(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        """The newest below `before_seq` (None: of all), ascending."""
        ...

    def messages(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        """The newest messages below `before_seq` that were not deleted, ascending."""
        ...

    def counts(self, session_id: str) -> list[ParticipantCount]: ...
    def message_span(self, session_id: str) -> tuple[datetime, datetime] | None:
        """The times of the first and of the last message."""
        ...

    def edit(self, session_id: str, seq: int, text: str, at: datetime) -> None:
        """Changes the text. Memories that the old one may be in are removed."""
        ...

    def keep(self, session_id: str, seq: int) -> None:
        """Marks an unfinished message as kept."""
        ...

    def erase(self, session_id: str, seq: int, at: datetime) -> None:
        """Removes the text from the message and from every edit of it, and with them the memories
        that it may be in."""
        ...
