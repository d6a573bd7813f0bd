"""One fault: a crowd talks, it is injected and healed, all comes to rest, the checker judges."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import Resources, check
from tests.faults.crowd import Crowd
from tests.faults.history import History
from tests.faults.injected import Aftermath, Fault
from tests.faults.metered import Meter, at_rest
from tests.faults.outcome import Outcome
from tests.faults.scene import Scene

STUCK_SECONDS = 60.0
SETTLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for a fault."""

    acked: int
    """At least so many messages."""
    clients: int
    sessions: int
    rounds: int = 1
    brief: bool = False


class Stuck(Exception):
    """Nothing is acknowledged any more."""


class Trial:
    """Done once, on a scene at rest, and leaves it so."""

    def __init__(
        self,
        scene: Scene,
        kind: type[Fault],
        effort: Effort,
        seed: int,
        resources: Resources | None = None,
    ) -> None:
        """`resources` are what the servers held at rest: they must come back to that."""
        self._scene = scene
        self._resources = resources
        self._effort = effort
        self._seed = seed
        self._fault = kind(scene, random.Random(f"{seed}/{kind.name}"), brief=effort.brief)
        self._folder = _unused(scene.folder / kind.name)
        self._history = History(self._folder)
        self._fault.mark = lambda what: self._history.mark(what, kind.name)

    async def run(self) -> Outcome:
        """Raises `Stuck`, or what a fault raises that could not be injected."""
        began = time.monotonic()
        takeovers = await self._scene.takeovers()
        meter = Meter(self._scene)
        try:
            counted = await meter.total()
            try:
                await self._fault.prepare()
                meanwhile, unsettled = await self._with_crowd()
            finally:
                await self._fault.finish()
            counted = await meter.total() - counted
        finally:
            await meter.close()
            self._history.close()
        resources = None
        if self._resources is not None:
            resources = [self._resources, await at_rest(self._scene, self._resources)]
        verdict = await asyncio.to_thread(
            check, self._folder, self._scene.database_url, resources=resources
        )
        taken = await self._scene.takeovers() - takeovers
        after = Aftermath(Counter(counted), verdict, taken, meanwhile)
        seconds = time.monotonic() - began
        return Outcome.of(self._fault, self._seed, after, unsettled, seconds)

    async def _with_crowd(self) -> tuple[list[int], list[str]]:
        """What was acked between injections and heals, and what did not settle."""
        crowd = Crowd(
            self._scene.url,
            self._history,
            seed=self._seed,
            clients=self._effort.clients,
            sessions=self._effort.sessions,
            bot=self._scene.bot,
        )
        await crowd.start()
        try:
            enough = asyncio.Event()
            talking = asyncio.create_task(crowd.run(until=enough))
            try:
                meanwhile = await self._rounds(crowd, talking)
            finally:
                enough.set()
                await talking
            return meanwhile, await crowd.settle(SETTLE_SECONDS)
        finally:
            await crowd.close()

    async def _rounds(self, crowd: Crowd, talking: "asyncio.Task[None]") -> list[int]:
        meanwhile = []
        share = self._effort.acked // (self._effort.rounds + 1)
        for number in range(1, self._effort.rounds + 1):
            await _acks(crowd, share * number, talking)
            await self._fault.ready()
            acked = crowd.acked
            await self._injected()
            meanwhile.append(crowd.acked - acked)
            # At least as much again, whatever was acked meanwhile.
            await _acks(crowd, crowd.acked + share // 2, talking)
        await _acks(crowd, self._effort.acked, talking)
        return meanwhile

    async def _injected(self) -> None:
        fault = self._fault
        fault.mark("inject")
        await fault.inject()
        if fault.heals_itself:
            fault.mark("heal")
        await asyncio.sleep(fault.seconds)
        await fault.heal()
        if not fault.heals_itself:
            fault.mark("heal")


async def _acks(crowd: Crowd, count: int, talking: "asyncio.Task[None]") -> None:
    """Returns once so many messages were acked. Raises `Stuck`."""
    acked, since = crowd.acked, time.monotonic()
    while crowd.acked < count:
        if talking.done():
            talking.result()
            raise Stuck("the crowd has stopped talking")
        if crowd.acked > acked:
            acked, since = crowd.acked, time.monotonic()
        elif time.monotonic() - since > STUCK_SECONDS:
            raise Stuck(f"no ack for {STUCK_SECONDS:.0f} s after {acked}")
        await asyncio.sleep(0.02)


def _unused(folder: Path) -> Path:
    """A fault may be done twice."""
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.partition('.')[0]}.{number}")
    return folder
