"""Several things go wrong at once."""

import asyncio
from collections.abc import Sequence

from tests.faults.injected.balancer import BalancerRestarted
from tests.faults.injected.fault import Expectation, Fault
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
    _drawn: Sequence[Fault] = ()

    async def inject(self) -> None:
        drawn = self.rng.sample(SINGLE, AT_ONCE)
        # Two faults of one server would heal each other.
        by_part = {kind.name.partition("-")[0]: kind for kind in drawn}
        self._drawn = [
            kind(self.scene, self.meter, self.rng, brief=True) for kind in by_part.values()
        ]
        for fault in self._drawn:
            await fault.ready()
        await asyncio.gather(*map(self._one, self._drawn))

    async def evidence(self) -> str:
        shown = [f"{fault.name}: {await fault.evidence()}" for fault in self._drawn]
        return "" if any(each.endswith(": ") for each in shown) else ", ".join(shown)

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(self.rng.uniform(0, SPREAD_SECONDS))
        await fault.inject()
        await asyncio.sleep(fault.seconds)
        await fault.heal()
