"""Time that passes only while everybody waits: minutes of deadlines in a moment, on any machine."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GLANCE = 0.05
"""Real seconds after which it is asked again whether other threads are at work."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while anybody works, and else leaps to the next timer.

    Sockets whose both ends are on this loop, and what it runs in executors, need nothing else to be
    waited for. `elsewhere` counts what further threads have in hand.
    """

    def __init__(self) -> None:
        self.elsewhere: Callable[[], int] = lambda: 0
        self._seconds = 0.0
        self._in_executors = 0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self._seconds

    def leap(self, seconds: float) -> None:
        self._seconds += seconds

    @property
    def working(self) -> bool:
        return bool(self._in_executors or self.elsewhere())

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._in_executors += 1
        future.add_done_callback(self._executed)
        return future

    def _executed(self, _: asyncio.Future[Any]) -> None:
        self._in_executors -= 1


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if ready:
            return ready
        if self._loop.working:
            return super().select(GLANCE)
        self._loop.leap(timeout)
        return []


class LeapingClock:
    """`chat.ports.Clock` that keeps the running loop's time."""

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
