"""A crowd talks, faults are injected and healed, all comes to rest, and the checker judges."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.checker import check
from tests.faults.crowd import Crowd
from tests.faults.history import History
from tests.faults.holding import Held, at_rest
from tests.faults.injected import Fault
from tests.faults.metered import Meter
from tests.faults.outcome import Done, Outcome
from tests.faults.regained import regained
from tests.faults.scene import Scene

STUCK_SECONDS = 60.0
SETTLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for a trial."""

    acked: int
    """At least so many messages."""
    clients: int
    sessions: int
    rounds: int = 1
    brief: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the servers."""


class Stuck(Exception):
    """Nothing is acknowledged any more."""


class Trial:
    """Done once, on a scene at rest, and leaves it so. Several faults take their turns."""

    def __init__(
        self,
        scene: Scene,
        kinds: Sequence[type[Fault]],
        effort: Effort,
        seed: int,
        held: Held | None = None,
    ) -> None:
        """`held` is what the servers held at rest: they must come back to that."""
        self._scene = scene
        self._held = held
        self._kinds = kinds
        self._effort = effort
        self._seed = seed
        self._name = "+".join(kind.name for kind in kinds)
        self._folder = _unused(scene.folder / self._name)
        self._history = History(self._folder)
        self._began = time.monotonic()
        self._phases: dict[str, float] = {}
        self._done: list[Done] = []

    async def run(self) -> Outcome:
        """Raises `Stuck`, or what a fault raises that could not be injected."""
        takeovers = await self._scene.takeovers()
        meter = Meter(self._scene)
        faults = [self._made(kind, meter) for kind in self._kinds]
        try:
            before = await meter.total()
            try:
                for fault in faults:
                    await fault.prepare()
                unsettled = await self._with_crowd(faults)
            finally:
                for fault in faults:
                    await fault.finish()
            counted = await meter.total()
            counted.subtract(before)
        finally:
            await meter.close()
            self._history.close()
        resources = None
        if self._held is not None:
            resources = (self._held, await at_rest(self._scene, self._held))
        self._phase("rest")
        url = self._scene.database_url
        verdict = await asyncio.to_thread(check, self._folder, url, resources=resources)
        back = await asyncio.to_thread(regained, self._folder)
        self._phase("check")
        return Outcome.of(
            self._name,
            self._seed,
            self._done,
            verdict,
            back,
            counted,
            await self._scene.takeovers() - takeovers,
            unsettled,
            self._phases,
        )

    def _made(self, kind: type[Fault], meter: Meter) -> Fault:
        rng = random.Random(f"{self._seed}/{kind.name}")
        fault = kind(self._scene, meter, rng, brief=self._effort.brief)
        fault.mark = lambda what: self._history.mark(what, kind.name)
        return fault

    async def _with_crowd(self, faults: Sequence[Fault]) -> list[str]:
        """What did not settle."""
        crowd = Crowd(
            self._scene.url,
            self._history,
            seed=self._seed,
            clients=self._effort.clients,
            sessions=self._effort.sessions,
            bot=self._scene.bot,
        )
        await crowd.start()
        self._phase("start")
        try:
            enough = asyncio.Event()
            talking = asyncio.create_task(crowd.run(until=enough))
            try:
                await self._injected(faults, Talk(crowd, talking))
            finally:
                enough.set()
                await talking
            self._phase("talk")
            return await crowd.settle(SETTLE_SECONDS)
        finally:
            await crowd.close()
            self._phase("settle")

    async def _injected(self, faults: Sequence[Fault], talk: "Talk") -> None:
        turns = [fault for fault in faults for _ in range(self._effort.rounds)]
        share = self._effort.acked // (len(turns) + 1)
        for number, fault in enumerate(turns, start=1):
            await talk.reaches(share * number)
            await fault.ready()
            acked = talk.acked
            fault.mark("inject")
            await fault.inject()
            if fault.heals_itself:
                fault.mark("heal")
            await asyncio.sleep(fault.seconds)
            fault.acked_meanwhile = talk.acked - acked
            await fault.heal()
            if not fault.heals_itself:
                fault.mark("heal")
            # Whatever was acked meanwhile.
            await talk.reaches(talk.acked + share // 2)
            self._done.append(Done(fault, fault.acked_meanwhile, await fault.evidence()))
        await talk.reaches(self._effort.acked)

    def _phase(self, name: str) -> None:
        """It has ended."""
        now = time.monotonic()
        self._phases[name], self._began = round(now - self._began, 1), now


class Talk:
    """How far a crowd has come."""

    def __init__(self, crowd: Crowd, talking: "asyncio.Task[None]") -> None:
        self._crowd = crowd
        self._talking = talking

    @property
    def acked(self) -> int:
        return self._crowd.acked

    async def reaches(self, count: int) -> None:
        """Returns once so many messages were acked. Raises `Stuck`."""
        acked, since = self.acked, time.monotonic()
        while self.acked < count:
            if self._talking.done():
                self._talking.result()
                raise Stuck("the crowd has stopped talking")
            if self.acked > acked:
                acked, since = self.acked, time.monotonic()
            elif time.monotonic() - since > STUCK_SECONDS:
                raise Stuck(f"no ack for {STUCK_SECONDS:.0f} s after {acked}")
            await asyncio.sleep(0.02)


def _unused(folder: Path) -> Path:
    """The same may be tried twice."""
    found, number = folder, 1
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}.{number}")
    return found
