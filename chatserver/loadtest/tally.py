"""What the connections of one process counted during one load."""

import time
from collections import Counter

from chatserver.loadtest.histogram import Histogram

MARK = b"bench:"
DIGITS = 20
HEAD = len(MARK) + 8 + 1 + DIGITS + 1
"""Bytes at the start of every text: mark, load, intended time. The least size of a message."""


class Tally:
    """Counts of one load, which marks its messages: those of another load are strays.

    Times are CLOCK_MONOTONIC in nanoseconds, the same in all processes of a machine.
    """

    __slots__ = (
        "_mark",
        "acks",
        "deliveries",
        "delivery",
        "errors",
        "last_at",
        "messages",
        "outstanding",
        "strays",
    )

    def __init__(self, load: bytes) -> None:
        assert len(load) == 8
        self._mark = MARK + load + b":"
        self.messages = 0
        self.outstanding = 0
        self.deliveries = 0
        self.strays = 0
        self.errors: Counter[str] = Counter()
        self.acks = Histogram()
        self.delivery = Histogram()
        self.last_at = time.monotonic_ns()

    def text(self, intended: int, size: int) -> bytes:
        """A message of `size` bytes that says when it should have left."""
        return (b"%b%020d " % (self._mark, intended)).ljust(size, b"x")

    def acked(self, intended: int) -> None:
        self.last_at = now = time.monotonic_ns()
        self.messages += 1
        self.outstanding -= 1
        self.acks.record(now - intended)

    def refused(self, code: str) -> None:
        self.last_at = time.monotonic_ns()
        self.outstanding -= 1
        self.errors[code] += 1

    def delivered(self, data: bytes, start: int, stop: int) -> None:
        """A `message_created` whose packet is `data[start:stop]`."""
        at = data.find(self._mark, start, stop)
        if at < 0:
            self.strays += 1
            return
        at += len(self._mark)
        self.last_at = now = time.monotonic_ns()
        self.deliveries += 1
        self.delivery.record(now - int(data[at : at + DIGITS]))
