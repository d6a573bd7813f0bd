"""Instances and workers that die, freeze, or are replaced."""

import asyncio
from signal import SIGCONT, SIGSTOP

from tests.faults.injected.fault import Aftermath, Expectation, Fault
from tests.processes import ServerProcess

RUNNING = 3
"""Replies under way at which one who writes some of them is hit."""
AWAY_SECONDS = 1.0
FROZEN_SECONDS = 12.0
"""Longer than a lease (8 s), and than a transaction may idle (10 s)."""


class InstanceKilled(Fault):
    """kill -9 while replies stream."""

    name = "instance-killed"
    lasts = AWAY_SECONDS
    heals_itself = True
    _victim: ServerProcess

    async def ready(self) -> None:
        await self.scene.replying(RUNNING)
        self._victim = self.rng.choice(self.scene.instances)

    async def inject(self) -> None:
        await asyncio.to_thread(self._victim.kill)

    async def heal(self) -> None:
        await self.scene.begin(self._victim)

    def bite(self, after: Aftermath) -> str:
        reconnects = after.verdict.numbers.reconnects
        return f"{reconnects} reconnects" if reconnects else ""


class InstanceFrozen(Fault):
    """SIGSTOP: it holds its connections and locks, and says nothing."""

    name = "instance-frozen"
    lasts = FROZEN_SECONDS
    _victim: ServerProcess

    async def ready(self) -> None:
        self._victim = self.rng.choice(self.scene.instances)

    async def inject(self) -> None:
        self._victim.send(SIGSTOP)

    async def heal(self) -> None:
        self._victim.send(SIGCONT)

    def bite(self, after: Aftermath) -> str:
        healed = int(after.counted["chatserver_catch_ups_total"])
        return f"{healed} catch-ups" if healed else ""


class WorkerKilled(Fault):
    """kill -9 in the middle of a reply."""

    name = "worker-killed"
    lasts = AWAY_SECONDS
    heals_itself = True
    _victim: ServerProcess

    async def ready(self) -> None:
        await self.scene.replying(RUNNING)
        self._victim = self.rng.choice(self.scene.repliers)

    async def inject(self) -> None:
        await asyncio.to_thread(self._victim.kill)

    async def heal(self) -> None:
        await self.scene.begin(self._victim)

    def bite(self, after: Aftermath) -> str:
        return f"{after.takeovers} replies taken over" if after.takeovers else ""


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
    _restarted = 0

    async def inject(self) -> None:
        for server in (*self.scene.instances, *self.scene.workers):
            self.mark("inject")
            # Clients are to go on elsewhere at once.
            self.mark("heal")
            await self.scene.end(server)
            await self.scene.begin(server)
            if server in self.scene.instances:
                await self.scene.balanced()
            self._restarted += 1

    def bite(self, after: Aftermath) -> str:
        reconnects = after.verdict.numbers.reconnects
        return f"{self._restarted} restarts, {reconnects} reconnects" if reconnects else ""
