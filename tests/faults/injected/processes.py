"""Instances and workers that die, freeze, or are replaced."""

import asyncio
from contextlib import suppress
from signal import SIGCONT, SIGSTOP

from tests.faults.injected.asking import replies_everywhere
from tests.faults.injected.fault import Expectation, Fault
from tests.processes import ServerProcess
from tests.waiting import eventually

AWAY_SECONDS = 1.0
FROZEN_SECONDS = 12.0
"""Longer than a lease (8 s), and than a transaction may idle (10 s)."""
TAKEN_OVER_SECONDS = 20.0


class InstanceKilled(Fault):
    """kill -9 while people talk and replies stream."""

    name = "instance-killed"
    lasts = AWAY_SECONDS
    heals_itself = True
    _victim: ServerProcess
    _connected = 0

    async def ready(self) -> None:
        await replies_everywhere(self.scene)
        self._victim, self._connected = await eventually(self._somebody, within=30)

    async def inject(self) -> None:
        await asyncio.to_thread(self._victim.kill)

    async def heal(self) -> None:
        await self.scene.begin(self._victim)

    async def evidence(self) -> str:
        return f"{self._connected} connected" if self._connected else ""

    async def _somebody(self) -> tuple[ServerProcess, int] | None:
        """An instance that people are connected to, and how many are."""
        instance = self.rng.choice(self.scene.instances)
        connected = int((await self.meter.of(instance))["connections"])
        return (instance, connected) if connected else None


class InstanceFrozen(InstanceKilled):
    """SIGSTOP: it holds its connections and locks, and says nothing."""

    name = "instance-frozen"
    lasts = FROZEN_SECONDS
    heals_itself = False

    async def inject(self) -> None:
        self._victim.send(SIGSTOP)

    async def heal(self) -> None:
        self._victim.send(SIGCONT)


class WorkerKilled(Fault):
    """kill -9 in the middle of a reply."""

    name = "worker-killed"
    lasts = AWAY_SECONDS
    heals_itself = True
    _victim: ServerProcess
    _before = 0

    async def ready(self) -> None:
        await replies_everywhere(self.scene)
        self._before = await self.scene.takeovers()
        self._victim = self.rng.choice(self.scene.workers)

    async def inject(self) -> None:
        await asyncio.to_thread(self._victim.kill)

    async def heal(self) -> None:
        await self.scene.begin(self._victim)

    async def evidence(self) -> str:
        async def taken() -> int:
            return await self.scene.takeovers() - self._before

        with suppress(AssertionError):
            return f"{await eventually(taken, within=TAKEN_OVER_SECONDS)} taken over"
        return ""


class WorkerFrozen(WorkerKilled):
    """Its leases run out; when it goes on, it must not end what others have taken over."""

    name = "worker-frozen"
    lasts = FROZEN_SECONDS

    async def inject(self) -> None:
        self._victim.send(SIGSTOP)

    async def heal(self) -> None:
        self._victim.send(SIGCONT)


class RollingRestart(Fault):
    """SIGTERM for one after the other; the next goes once the one before is back."""

    name = "rolling-restart"
    lasts = 0.0
    expected = Expectation(recovers=5.0)
    _connected = 0

    async def inject(self) -> None:
        self._connected = 0
        for server in self.scene.servers:
            is_instance = server in self.scene.instances
            if is_instance:
                self._connected += int((await self.meter.of(server))["connections"])
            # Clients are to go on elsewhere at once.
            self.mark("inject")
            self.mark("heal")
            await self.scene.end(server)
            await self.scene.begin(server)
            if is_instance:
                await self.scene.balanced()

    async def evidence(self) -> str:
        return f"{self._connected} connected" if self._connected else ""
