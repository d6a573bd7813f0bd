"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """`chat.ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
