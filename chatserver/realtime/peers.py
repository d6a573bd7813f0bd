"""The other instances, as far as they were heard of."""

from collections.abc import Callable

BEAT_SECONDS = 1.0
SILENT_SECONDS = 3.0
"""Silence after which an instance may be cut off from Redis, and commit what nobody hears of."""
LEASE_SECONDS = 10.0
"""Silence after which its people are no longer here."""
DOUBT_SECONDS = 60.0
"""How long one that was given up is reckoned with."""


class Peers:
    """Told of each beat; tells who is gone. Times are of any one clock, in seconds."""

    def __init__(self, gone: Callable[[bytes], None], lease: float) -> None:
        self._gone = gone
        self._lease = lease
        self._heard: dict[bytes, float] = {}
        self._missing: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._heard)

    def heard(self, origin: bytes, now: float) -> None:
        self._heard[origin] = now
        self._missing.pop(origin, None)

    def met(self, origin: bytes, now: float) -> None:
        """Heard of by something else than a beat."""
        self._heard.setdefault(origin, now)

    def left(self, origin: bytes) -> None:
        """It said good-bye."""
        self._missing.pop(origin, None)
        if self._heard.pop(origin, None) is not None:
            self._gone(origin)

    def forgive(self, now: float) -> None:
        """Their silence may have been our deafness."""
        self._heard = dict.fromkeys(self._heard, now)

    def expire(self, now: float) -> None:
        """Gives up those silent for too long."""
        for origin, at in list(self._heard.items()):
            if now - at > self._lease:
                del self._heard[origin]
                self._missing[origin] = now
                self._gone(origin)
        for origin, since in list(self._missing.items()):
            if now - since > DOUBT_SECONDS:
                del self._missing[origin]

    def are_doubtful(self, now: float) -> bool:
        """Whether one fell silent without a good-bye."""
        return bool(self._missing) or any(now - at > SILENT_SECONDS for at in self._heard.values())
