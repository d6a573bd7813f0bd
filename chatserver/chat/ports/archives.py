"""Whole sessions, as a transaction sees them: what the other nouns do not show or let in."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from chatserver.chat.archive.lines import ArchivedMemory, ArchivedReply, Head
from chatserver.chat.models import Event, Participant


class Archives(Protocol):
    def head(self, session_id: str) -> Head | None: ...
    def replies(self, session_id: str) -> Iterator[ArchivedReply]:
        """In the order of their prompts."""
        ...

    def memories(self, session_id: str) -> Iterator[ArchivedMemory]:
        """In the order of their bots."""
        ...

    def require_free(self, session_id: str) -> None:
        """Raises `SessionExists` where a session has or had this id."""
        ...

    def add_participants(self, people: Sequence[Participant], at: datetime) -> None:
        """Those that are not there yet. Raises `OtherParticipant`."""
        ...

    def add_session(self, head: Head) -> None:
        """Its people have to be there."""
        ...

    def add_events(self, events: Sequence[Event]) -> None:
        """Raises `Conflict` where a sender used a client_message_id twice."""
        ...

    def add_replies(self, session_id: str, replies: Sequence[ArchivedReply]) -> None:
        """Raises `Conflict` where there is a reply of one of these ids."""
        ...

    def add_memory(self, session_id: str, memory: ArchivedMemory) -> None: ...
