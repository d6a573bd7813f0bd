"""Many clients that chat by a seeded program, and write down all they do and see."""

import asyncio
from collections.abc import Sequence

from tests.faults.history import History


class Crowd:
    """Between `start` and `close`. The same seed makes the same program of operations."""

    def __init__(
        self,
        url: str,
        history: History,
        *,
        seed: int,
        clients: int,
        sessions: int,
        transports: Sequence[str] = ("websocket", "polling"),
        bot: str | None = "echo",
    ) -> None:
        self.acked = 0

    async def start(self) -> None:
        """Everybody is connected and in their sessions. No fault may happen meanwhile."""
        raise NotImplementedError

    async def run(self, seconds: float | None = None, until: asyncio.Event | None = None) -> None:
        """Goes on with the program. Returns after `seconds` or once `until` is set."""
        raise NotImplementedError

    async def settle(self, within: float = 120.0) -> list[str]:
        """Brings everything to rest; what did not come to rest in time, in words."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
