"""Signals that came before the durable event they follow."""

from collections import deque
from collections.abc import Callable

from chatserver.chat.models import EventType
from chatserver.realtime.room import Room

HELD_SIGNALS = 1_000
"""In one room; beyond, the oldest are lost, as signals may be."""


class HeldSignals:
    """Keeps them in order: what comes behind one that waits, waits as well."""

    def __init__(self) -> None:
        self._by_session: dict[str, deque[tuple[int, Callable[[], None]]]] = {}

    def must_wait(self, room: Room, seq: int) -> bool:
        """Whether a signal is to be added, that follows the event `seq`."""
        return seq > room.cursor or room.session_id in self._by_session or not room.opened.done()

    def add(self, room: Room, seq: int, show: Callable[[], None]) -> None:
        queue = self._by_session.setdefault(room.session_id, deque(maxlen=HELD_SIGNALS))
        queue.append((seq, show))

    def release(self, room: Room) -> None:
        """Shows what waited for nothing later than the cursor."""
        queue = self._by_session.get(room.session_id)
        # Somebody may have left since it was added.
        if queue is None or turn_of(room, 0) > room.cursor:
            return
        while queue and queue[0][0] <= room.cursor:
            queue.popleft()[1]()
        if not queue:
            self._by_session.pop(room.session_id, None)

    def forget(self, session_id: str) -> None:
        self._by_session.pop(session_id, None)


def turn_of(room: Room, seq: int) -> int:
    """The durable event after which a signal is shown that follows the event `seq`.

    Who left is still in the room while an earlier event is awaited, and must hear nothing more.
    """
    leaving = (e.seq for e in room.ahead.values() if e.type is EventType.PARTICIPANT_LEFT)
    return max([seq, *leaving])
