"""A session that this instance hosts, and what its rooms are called inside Socket.IO."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from chatserver.chat.models import Participant
from chatserver.realtime.packed import Heard

RECENT_EVENTS = 256


def session_room(session_id: str) -> str:
    return f"session:{session_id}"


def participant_room(participant_id: str) -> str:
    return f"participant:{participant_id}"


@dataclass(slots=True)
class Room:
    """A session that this instance hosts."""

    session_id: str
    opened: asyncio.Future[None]
    """Resolves once the cursor is known."""
    cursor: int = 0
    """The last seq delivered."""
    known: int = 0
    """The highest seq heard of; where the cursor is below, events are being read."""
    lost: int = 0
    """The highest seq that was told without its event, or not so that it can be read."""
    pins: int = 0
    """Joiners between hosting the room and entering it."""
    sids: dict[str, Participant] = field(default_factory=dict)
    recent: deque[Heard] = field(default_factory=lambda: deque(maxlen=RECENT_EVENTS))
    ahead: dict[int, Heard] = field(default_factory=dict)
    read_marks: dict[str, int] = field(default_factory=dict)
    """Those told since the room is hosted: a snapshot may be older than the telling."""
    opening: asyncio.Task[None] | None = None
    catching_up: asyncio.Task[None] | None = None
    closed: bool = False
