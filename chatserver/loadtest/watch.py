"""The generator watches itself: what it could not do in time says nothing about the server."""

import asyncio
import time

from chatserver.loadtest.histogram import Histogram

INTERVAL = 0.01
BUSY_SHARE = 0.9
"""Of one core: above, the generator is what limits a closed loop."""
LATE_NS = 20_000_000
"""A generator that is later than this in 1 of 100 cases blurs the latencies it reports."""


class Watch:
    """How late a timer of this event loop runs, and what CPU this process uses meanwhile."""

    def __init__(self) -> None:
        self.lag = Histogram()
        self.cpu = 0.0
        self._cpu_at_start = time.process_time()
        self._loop = asyncio.get_running_loop()
        self._due = 0
        self._handle = self._schedule()

    def stop(self) -> None:
        self._handle.cancel()
        # A loop that is stuck right now would otherwise never be late.
        self.lag.record(time.monotonic_ns() - self._due)
        self.cpu = time.process_time() - self._cpu_at_start

    def _schedule(self) -> asyncio.TimerHandle:
        self._due = time.monotonic_ns() + round(INTERVAL * 1e9)
        return self._loop.call_later(INTERVAL, self._tick)

    def _tick(self) -> None:
        self.lag.record(time.monotonic_ns() - self._due)
        self._handle = self._schedule()
