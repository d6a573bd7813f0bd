"""When it is time to speak of one's own accord."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol


class Pace(Protocol):
    async def next(self) -> int:
        """Returns when it is time, with a number that no other time has."""
        ...


class EverySeconds:
    """Times are multiples of `seconds` after it was made, so that no delay adds up.

    Those that pass while nobody waits are left out: nothing is caught up on.
    """

    def __init__(
        self,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._sleep = sleep
        self._began = now()
        self._last = 0

    async def next(self) -> int:
        passed = int((self._now() - self._began) / self._seconds)
        self._last = max(self._last, passed) + 1
        await self._sleep(self._began + self._last * self._seconds - self._now())
        return self._last
