"""PostgreSQL goes away and comes back, in three ways."""

import asyncio
from typing import ClassVar

from tests.faults.injected.fault import Expectation, Fault

STRAY = 50
"""Acks of what was committed just before; with all clients' messages."""
DOWN = Expectation(recovers=8.0, acks=False)
"""No truth, no acks; clients repeat what was not acked."""


class _PostgresFault(Fault):
    expected = DOWN

    async def heal(self) -> None:
        await asyncio.to_thread(self.scene.postgres.start)
        self.scene.guarded()

    words: ClassVar[str]
    """That PostgreSQL says in its log when it does that."""
    _said = 0

    async def ready(self) -> None:
        self._said = self.scene.postgres.log().count(self.words)

    async def evidence(self) -> str:
        times = self.scene.postgres.log().count(self.words) - self._said
        return f"{times} times {self.words!r}" if times else ""


class PostgresRestarted(_PostgresFault):
    """Fast shutdown: transactions are rolled back, connections told why."""

    name = "postgres-restarted"
    lasts = 0.0
    words = "due to administrator command"

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.postgres.stop)


class PostgresHalted(_PostgresFault):
    """Immediate shutdown: as a crash; recovery from its log when it starts."""

    name = "postgres-halted"
    lasts = 1.0
    words = "automatic recovery in progress"

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.postgres.halt)


class PostgresFrozen(Fault):
    """All its processes stand still for longer than a statement may take."""

    name = "postgres-frozen"
    lasts = 15.0
    expected = DOWN

    async def inject(self) -> None:
        self.scene.postgres.freeze()

    async def heal(self) -> None:
        self.scene.postgres.thaw()

    async def evidence(self) -> str:
        # What was on its way when it stopped may still arrive.
        few = self.acked_meanwhile < STRAY
        return f"{self.acked_meanwhile} acked meanwhile" if few else ""
