"""What makes one instance of several out of a server."""

from collections.abc import AsyncIterator

from aiohttp import web

from chatserver.chat.ports import Store
from chatserver.observability.metrics import Metrics
from chatserver.realtime.bus_redis.address import RedisAddress
from chatserver.realtime.bus_redis.bus import RedisBus
from chatserver.realtime.bus_redis.reach import reach
from chatserver.realtime.frame import new_origin
from chatserver.realtime.manager import RoomManager
from chatserver.realtime.peers import LEASE_SECONDS
from chatserver.realtime.pool_nudges import Pool, PoolNudges
from chatserver.realtime.shared_feed import SharedFeed


class Instances:
    """A feed and hints for pools that reach the other instances over Redis."""

    def __init__(
        self,
        address: RedisAddress,
        prefix: str,
        manager: RoomManager,
        store: Store,
        metrics: Metrics,
    ) -> None:
        self._address = address
        self._origin = new_origin()
        self.bus = RedisBus(address, prefix, self._origin, metrics)
        self.feed = SharedFeed(manager, store, metrics, self.bus, self._origin, LEASE_SECONDS)
        self._nudges: list[PoolNudges] = []

    def pools(self, pool: Pool) -> PoolNudges:
        """Joins the pool of this instance to the others. Takes the place of the pool as

        `chat.ports.ReplyNudge` and as a listener of commits.
        """
        nudges = PoolNudges(self.bus, self._origin, pool)
        self._nudges.append(nudges)
        return nudges

    async def require(self) -> None:
        """Raises `RedisRefused` where there is no Redis to begin with.

        Later it may come and go: that is the bus's affair.
        """
        await reach(self._address)

    async def check(self) -> None:
        """Raises where this instance does not hear the others."""
        await self.bus.check()

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        self.feed.start()
        for nudges in self._nudges:
            nudges.start()
        await self.bus.start()
        yield
        for nudges in self._nudges:
            nudges.stop()
        await self.feed.stop()
        await self.bus.stop()
