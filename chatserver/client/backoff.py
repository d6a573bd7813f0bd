"""How long to wait before trying again."""

import random

STEADY_SECONDS = 5.0
"""A connection that lasted so long was a good one: the next attempt comes soon."""


class Backoff:
    """Capped exponential delays with full jitter, so that many clients do not come back at once.

    (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
    """

    def __init__(
        self, first: float = 0.2, cap: float = 15.0, rng: random.Random | None = None
    ) -> None:
        self.attempt = 0
        self._first = first
        self._cap = cap
        self._rng = rng or random.Random()

    def next(self, at_least: float = 0.0) -> float:
        """Seconds until the next attempt; `at_least` is what the server asked for."""
        span = min(self._cap, self._first * 2 ** min(self.attempt, 16))
        self.attempt += 1
        return at_least + self._rng.uniform(span / 4, span)

    def reset(self) -> None:
        self.attempt = 0

    def lasted(self, seconds: float) -> None:
        """To be told of each connection that has ended. One that ended at once was no success."""
        if seconds >= STEADY_SECONDS:
            self.reset()
