"""A session's durable events on their way to one reader: in order, exactly once, bounded.

Pure: what arrives is offered, what is missing is asked for by whoever owns it.
"""

from collections import deque
from collections.abc import Iterable

from chatserver.chat.models import Event

CAPACITY = 1_000


class Inflow:
    """Takes only the event that comes next; any other is remembered as missing.

    So a hole, a full buffer and an interruption are one and the same case: `missing` says that
    there is more in the log than was taken, and pages after `tail`, offered here, close it.
    """

    def __init__(self, after: int | None, capacity: int = CAPACITY) -> None:
        self.tail = after
        """The last seq that was taken; None until a snapshot said where to begin."""
        self.known = after or 0
        """The highest seq that is known to exist."""
        self._capacity = capacity
        self._taken: deque[Event] = deque()

    def begin(self, after: int) -> None:
        """Sets where to begin, once."""
        if self.tail is None:
            self.tail = after
        self.known = max(self.known, self.tail)

    def offer(self, events: Iterable[Event]) -> None:
        for event in events:
            self.known = max(self.known, event.seq)
            if (
                self.tail is not None
                and event.seq == self.tail + 1
                and len(self._taken) < self._capacity
            ):
                self._taken.append(event)
                self.tail = event.seq

    def next(self) -> Event | None:
        return self._taken.popleft() if self._taken else None

    @property
    def waiting(self) -> int:
        """How many events the reader has not got, of all that are known to exist."""
        return 0 if self.tail is None else self.known - self.tail + len(self._taken)

    @property
    def missing(self) -> bool:
        """Whether the reader has everything that was taken, and there is more."""
        return not self._taken and self.tail is not None and self.tail < self.known
