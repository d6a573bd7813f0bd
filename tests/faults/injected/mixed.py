"""Several things go wrong at once."""

import asyncio

from tests.faults.injected.balancer import BalancerRestarted
from tests.faults.injected.fault import Aftermath, Expectation, Fault
from tests.faults.injected.postgres import PostgresHalted, PostgresRestarted
from tests.faults.injected.processes import InstanceKilled, WorkerKilled
from tests.faults.injected.redis import (
    ListenersKilled,
    RedisFrozen,
    RedisKilled,
    RedisPartitioned,
)

SINGLE: tuple[type[Fault], ...] = (
    *(InstanceKilled, WorkerKilled, BalancerRestarted, PostgresHalted, PostgresRestarted),
    *(RedisKilled, RedisFrozen, RedisPartitioned, ListenersKilled),
)
AT_ONCE = 4
SPREAD_SECONDS = 4.0


class Mixed(Fault):
    """Four of the others, drawn anew each time, begin within seconds of each other and overlap."""

    name = "mixed"
    lasts = 0.0
    expected = Expectation(recovers=15.0, acks=False)
    _done: list[str]

    async def prepare(self) -> None:
        self._done = []

    async def inject(self) -> None:
        drawn = self.rng.sample(SINGLE, AT_ONCE)
        # Two faults of one server would heal each other.
        by_part = {kind.name.partition("-")[0]: kind for kind in drawn}
        faults = [kind(self.scene, self.rng, brief=True) for kind in by_part.values()]
        self._done.append("+".join(fault.name for fault in faults))
        starts = [self.rng.uniform(0, SPREAD_SECONDS) for _ in faults]
        await asyncio.gather(
            *(self._one(fault, start) for fault, start in zip(faults, starts, strict=True))
        )

    def bite(self, after: Aftermath) -> str:
        reconnects = after.verdict.numbers.reconnects
        return "; ".join(self._done) if reconnects else ""

    async def _one(self, fault: Fault, start: float) -> None:
        await asyncio.sleep(start)
        await fault.ready()
        await fault.inject()
        await asyncio.sleep(fault.seconds)
        await fault.heal()
