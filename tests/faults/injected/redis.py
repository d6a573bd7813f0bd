"""Redis goes, comes back empty, says nothing, or cannot be reached by one."""

import asyncio

from tests.faults.injected.fault import Expectation, Fault

UNHURT = Expectation(recovers=2.0)
"""Redis is never the truth: acks go on as if nothing were."""


class _RedisFault(Fault):
    expected = UNHURT

    async def ready(self) -> None:
        self._before = await self.meter.total()

    async def evidence(self) -> str:
        deaf = await self.meter.grew("bus_deaf_seconds", self._before)
        return f"deaf for {deaf:.2f} s" if deaf else ""


class RedisKilled(_RedisFault):
    """kill -9; what it knew is gone."""

    name = "redis-killed"
    lasts = 3.0

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.redis.kill)

    async def heal(self) -> None:
        await asyncio.to_thread(self.scene.redis.start)
        self.scene.guarded()


class RedisRestarted(RedisKilled):
    """In order, and back at once."""

    name = "redis-restarted"
    lasts = 0.0

    async def inject(self) -> None:
        await asyncio.to_thread(self.scene.redis.ask, "SHUTDOWN NOSAVE")
        await asyncio.to_thread(self.scene.redis.kill)


class RedisFrozen(_RedisFault):
    """Connections stay; nothing is answered or passed on."""

    name = "redis-frozen"

    @property
    def seconds(self) -> float:
        return 4.0 if self.brief else 10.0

    async def inject(self) -> None:
        self.scene.redis.freeze()

    async def heal(self) -> None:
        self.scene.redis.thaw()


class RedisPartitioned(_RedisFault):
    """One instance no longer reaches Redis, and is not told so. The others do."""

    name = "redis-partitioned"
    lasts = 8.0

    async def inject(self) -> None:
        self.scene.gate.shut()

    async def heal(self) -> None:
        self.scene.gate.open()


class ListenersKilled(_RedisFault):
    """Redis cuts off all who are subscribed to anything, as it does with those too slow."""

    name = "redis-listeners-killed"
    lasts = 0.0

    async def inject(self) -> None:
        killed = await asyncio.to_thread(self.scene.redis.ask, "CLIENT KILL TYPE pubsub")
        assert int(killed.lstrip(":") or 0) >= len(self.scene.instances), killed
