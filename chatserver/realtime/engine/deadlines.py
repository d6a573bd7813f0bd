"""Many deadlines, one timer.

A timer of the event loop for each connection costs memory and a heap operation for each change.
Here all deadlines of the same length share a queue, in which they fall due in the order added;
so adding and removing are dictionary operations, and one timer serves the heads of all queues.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

RESOLUTION = 0.004
"""Seconds. Deadlines closer together than this are met in one go (at the later one's time)."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """The part of an event loop that is needed: its monotonic time, and its timers."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer: ...


class DeadlineQueue(Generic[T]):
    """Calls `due(item)` for each item `seconds` after it was added, unless it was discarded."""

    def __init__(self, seconds: float, due: Callable[[T], object], deadlines: "Deadlines") -> None:
        self._seconds = seconds
        self._due = due
        self._deadlines = deadlines
        self._items: dict[T, float] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: T) -> bool:
        return item in self._items

    def add(self, item: T) -> None:
        """Starts anew for an item that is in here already."""
        self._items.pop(item, None)
        when = self._deadlines.clock.time() + self._seconds
        self._items[item] = when
        self._deadlines.expect(when)

    def discard(self, item: T) -> bool:
        """Whether it was in here."""
        return self._items.pop(item, None) is not None

    def next(self) -> float | None:
        """When the first falls due."""
        return next(iter(self._items.values()), None)

    def meet(self, now: float) -> None:
        while self._items:
            item, when = next(iter(self._items.items()))
            if when > now:
                return
            del self._items[item]
            self._due(item)


class Deadlines:
    """The queues, and the timer that they share."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._queues: list[DeadlineQueue[object]] = []
        self._timer: Timer | None = None
        self._when = 0.0

    def queue(self, seconds: float, due: Callable[[T], object]) -> DeadlineQueue[T]:
        queue = DeadlineQueue(seconds, due, self)
        self._queues.append(queue)  # type: ignore[arg-type]  # items only come out where they went in
        return queue

    def expect(self, when: float) -> None:
        """Something is due then."""
        if self._timer is not None:
            if self._when <= when:
                return
            self._timer.cancel()
        self._when = when
        self._timer = self.clock.call_at(when, self._meet)

    def meet(self) -> None:
        """Those that are due and wait for the timer. After this nothing exists past its end."""
        now = self.clock.time()
        for queue in self._queues:
            queue.meet(now)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _meet(self) -> None:
        self._timer = None
        try:
            self.meet()
        finally:  # one that fails must not take the others' deadlines away
            heads = [when for queue in self._queues if (when := queue.next()) is not None]
            if heads:
                self.expect(max(min(heads), self.clock.time() + RESOLUTION))


class LoopClock:
    """The running event loop's; may be made before there is one."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer:
        return asyncio.get_running_loop().call_at(when, callback)
