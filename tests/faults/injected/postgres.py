"""PostgreSQL goes away and comes back, in three ways."""

import asyncio

from tests.faults.injected.fault import Aftermath, Expectation, Fault

DOWN = Expectation(recovers=8.0, acks=False)
"""No truth, no acks; clients repeat what was not acked."""


class _PostgresFault(Fault):
    expected = DOWN
    _said = 0

    async def heal(self) -> None:
        await asyncio.to_thread(self.scene.postgres.start)
        self.scene.guarded()

    def _log_has(self, words: str) -> str:
        times = self.scene.postgres.log().count(words)
        return f"{times} times {words!r}" if times else ""


class PostgresRestarted(_PostgresFault):
    """Fast shutdown: transactions are rolled back, connections told why."""

    name = "postgres-restarted"
    lasts = 0.0

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.postgres.stop)

    def bite(self, after: Aftermath) -> str:
        return self._log_has("due to administrator command")


class PostgresHalted(_PostgresFault):
    """Immediate shutdown: as a crash; recovery from its log when it starts."""

    name = "postgres-halted"
    lasts = 1.0

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.postgres.halt)

    def bite(self, after: Aftermath) -> str:
        return self._log_has("automatic recovery in progress")


class PostgresFrozen(_PostgresFault):
    """All its processes stand still for longer than a statement may take."""

    name = "postgres-frozen"
    lasts = 15.0

    async def inject(self) -> None:
        self.scene.postgres.freeze()

    async def heal(self) -> None:
        self.scene.postgres.thaw()

    def bite(self, after: Aftermath) -> str:
        # What was on its way when it stopped may still arrive.
        few = all(acked < after.verdict.numbers.acked / 100 for acked in after.acked_meanwhile)
        return f"{after.acked_meanwhile} acked meanwhile" if few else ""
