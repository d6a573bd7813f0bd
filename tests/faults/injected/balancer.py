"""The load balancer goes, or makes everybody come back at once."""

import asyncio
from contextlib import AsyncExitStack

from chatserver.client import ChatClient
from chatserver.client.backoff import Backoff
from tests.faults.injected.fault import Expectation, Fault
from tests.waiting import eventually

RELOADED = "New worker"
"""What HAProxy says of it."""
STORM = 200
"""Idle clients beside those that talk."""


class BalancerRestarted(Fault):
    """All connections end, and for a second nobody listens."""

    name = "balancer-restarted"
    lasts = 1.0
    expected = Expectation(acks=False)

    _connected = 0

    async def ready(self) -> None:
        self._connected = 0
        for instance in self.scene.instances:
            self._connected += int((await self.meter.of(instance))["connections"])

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.balancer.kill)

    async def heal(self) -> None:
        await asyncio.to_thread(self.scene.balancer.start)
        self.scene.guarded()

    async def evidence(self) -> str:
        return f"{self._connected} connected" if self._connected else ""


class BalancerReloaded(Fault):
    """A new one takes over; the old one keeps what it has until it is given up."""

    name = "balancer-reloaded"
    lasts = 1.0
    heals_itself = True
    _reloads = 0

    async def inject(self) -> None:
        before = self.scene.balancer.log().count(RELOADED)
        await asyncio.to_thread(self.scene.balancer.reload)
        await eventually(lambda: self.scene.balancer.log().count(RELOADED) > before)
        self._reloads += 1

    async def evidence(self) -> str:
        return f"{self._reloads} reloads" if self._reloads else ""


class ReconnectStorm(BalancerRestarted):
    """Everybody is cut off at one moment, and the servers are there all the time."""

    name = "reconnect-storm"
    lasts = 0.0

    async def prepare(self) -> None:
        self._stack = AsyncExitStack()
        for number in range(STORM):
            backoff = Backoff(first=0.2, cap=2.0)
            client = ChatClient(self.scene.url, name=f"Idle {number}", backoff=backoff)
            await self._stack.enter_async_context(client)

    async def finish(self) -> None:
        await self._stack.aclose()
