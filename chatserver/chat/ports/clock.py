"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, timezone-aware UTC, for what people and other machines read."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines and rates."""
        ...
