"""Which link carries which channel."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog
from redis.crc import key_slot

from chatserver.realtime.bus_redis.address import RedisAddress
from chatserver.realtime.bus_redis.dial import FAILURES, Dial, dial_node, dial_of, slots_of
from chatserver.realtime.bus_redis.link import Link
from chatserver.realtime.bus_redis.listener import PLAIN, SHARDED, Verbs
from chatserver.realtime.bus_redis.publisher import pause_after

log = structlog.get_logger(__name__)

MakeLink = Callable[[Dial, Verbs, bytes], Link]
"""Takes the channel of its beats as well."""
REFRESH_SECONDS = 30.0
"""How often a cluster is asked for its slots without a reason."""


class Shards(Protocol):
    def start(self) -> None: ...
    async def stop(self) -> None: ...
    def link_of(self, channel: bytes) -> Link | None: ...
    def links(self) -> Iterable[Link]: ...
    def doubt(self) -> None:
        """Something broke: another server may be in its place."""
        ...


class OneServer:
    """Sentinel's master is one server, too: it is asked for at each connect."""

    def __init__(self, address: RedisAddress, beat_channel: bytes, make: MakeLink) -> None:
        self._link = make(dial_of(address), PLAIN, beat_channel)

    def start(self) -> None:
        self._link.start()

    async def stop(self) -> None:
        await self._link.stop()

    def link_of(self, channel: bytes) -> Link | None:
        return self._link

    def links(self) -> Iterable[Link]:
        return [self._link]

    def doubt(self) -> None: ...


class Cluster:
    """A link for each master, made as the cluster says which there are."""

    def __init__(
        self,
        address: RedisAddress,
        beat_channel: bytes,
        make: MakeLink,
        moved: Callable[[], None],
    ) -> None:
        """`moved` is called whenever channels may have another link than before."""
        self._address = address
        self._beat_channel = beat_channel
        self._make = make
        self._moved = moved
        self._slots: dict[int, tuple[str, int]] = {}
        self._links: dict[tuple[str, int], Link] = {}
        self._doubt = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="redis-slots")

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.gather(*(link.stop() for link in self._links.values()))

    def link_of(self, channel: bytes) -> Link | None:
        node = self._slots.get(key_slot(channel))
        return self._links.get(node) if node is not None else None

    def links(self) -> Iterable[Link]:
        return self._links.values()

    def doubt(self) -> None:
        self._doubt.set()

    async def _watch(self) -> None:
        failures = 0
        while True:
            try:
                await self._take(await slots_of(self._address))
                failures = 0
            except FAILURES as failure:
                failures += 1
                log.warning("redis_slots_unknown", error=type(failure).__qualname__)
            await asyncio.sleep(pause_after(failures))
            if not failures:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await self._doubt.wait()
                self._doubt.clear()

    async def _take(self, slots: dict[int, tuple[str, int]]) -> None:
        if slots == self._slots:
            return
        nodes = set(slots.values())
        # A link whose beats went to another server with their slot would never hear them again.
        strayed = [
            node
            for node, link in self._links.items()
            if slots.get(key_slot(link.beat_channel)) != node
        ]
        gone = [self._links.pop(node) for node in strayed]
        self._slots = slots
        for node in nodes - set(self._links):
            own = (b"%b:%d" % (self._beat_channel, n) for n in itertools.count())
            beat = next(each for each in own if slots.get(key_slot(each)) == node)
            self._links[node] = self._make(dial_node(self._address, *node), SHARDED, beat)
            self._links[node].start()
        self._moved()
        for link in gone:
            await link.stop()
