"""How often something may happen: one rate for one thing, or the same for many keys.

The generic cell rate algorithm (ITU-T I.371): it admits exactly what a token bucket admits, and
needs only one number per bucket, the moment at which the bucket will be full again.
"""

from collections import OrderedDict
from collections.abc import Hashable

from chatserver.chat.ports import Clock

_ROUNDING = 1e-9
"""Seconds. Who waits exactly as long as told must get in, whatever the floats lost on the way."""


class TokenBucket:
    """`rate` per second, sustained, and `burst` at once. Begins full."""

    __slots__ = ("_clock", "_full_at", "_interval", "_slack")

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a bucket needs a rate above 0 and a burst of at least 1")
        self._clock = clock
        self._interval = 1 / rate
        self._slack = (burst - 1) * self._interval
        self._full_at = clock.monotonic()

    def take(self) -> float:
        """0 where one was taken; otherwise, with nothing taken, the seconds until one is there."""
        now = self._clock.monotonic()
        wait = self._full_at - self._slack - now
        if wait > _ROUNDING:
            return wait
        self._full_at = max(self._full_at, now) + self._interval
        return 0.0


class RateLimiter:
    """One bucket per key, for the `keys` most recently seen; a forgotten key begins full again."""

    def __init__(self, rate: float, burst: float, clock: Clock, *, keys: int = 10_000) -> None:
        if keys < 1:
            raise ValueError("a limiter needs room for at least one key")
        TokenBucket(rate, burst, clock)  # refuses a wrong rate now, not at the first request
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()
        self._keys = keys

    def take(self, key: Hashable) -> float:
        """As `TokenBucket.take`, for this key alone."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, self._clock)
            if len(self._buckets) > self._keys:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket.take()

    def __len__(self) -> int:
        return len(self._buckets)
