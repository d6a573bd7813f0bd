"""What waits to be published: bounded, and what matters least goes first."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Entry:
    channel: bytes
    frame: bytes
    keep: bool
    reached: "asyncio.Future[int] | None" = None
    dropped: bool = False

    @property
    def size(self) -> int:
        return len(self.channel) + len(self.frame)


class Outbox:
    """A queue of at most `max_count` entries and `max_bytes`."""

    def __init__(self, max_count: int, max_bytes: int, give_up: Callable[[Entry], None]) -> None:
        """`give_up` is told of each entry that will not be sent."""
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._give_up = give_up
        self._entries: deque[Entry] = deque()
        self._signals: deque[Entry] = deque()
        """Those of the entries that are not to be kept; it may lag behind what was taken."""
        self._count = 0
        self._bytes = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def put(self, entry: Entry) -> None:
        self._entries.append(entry)
        if not entry.keep:
            self._signals.append(entry)
        self._count += 1
        self._bytes += entry.size
        while self._count > self._max_count or self._bytes > self._max_bytes:
            self._drop_one()
        if len(self._entries) > 2 * self._max_count:  # mostly signals that were given up
            self._entries = deque(entry for entry in self._entries if not entry.dropped)
        self._filled.set()

    async def take(self, most: int, most_bytes: int) -> list[Entry]:
        """Waits for entries; the oldest come first."""
        while not self._count:
            self._filled.clear()
            await self._filled.wait()
        taken: list[Entry] = []
        size = 0
        while self._entries and len(taken) < most and size < most_bytes:
            entry = self._entries.popleft()
            if not entry.dropped:
                entry.dropped = True  # for the queue of signals
                self._forget(entry)
                taken.append(entry)
                size += entry.size
        while self._signals and self._signals[0].dropped:
            self._signals.popleft()
        return taken

    def clear(self) -> None:
        """Gives everything up."""
        while self._count:
            self._drop_one()
        self._entries.clear()
        self._signals.clear()

    def _drop_one(self) -> None:
        for queue in (self._signals, self._entries):
            while queue:
                entry = queue.popleft()
                if not entry.dropped:
                    entry.dropped = True
                    self._forget(entry)
                    self._give_up(entry)
                    entry.frame = b""  # it may stay in the other queue for a while
                    return

    def _forget(self, entry: Entry) -> None:
        self._count -= 1
        self._bytes -= entry.size
