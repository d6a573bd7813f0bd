"""`realtime.bus.Bus` over one Redis server or many."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from chatserver.observability.metrics import Metrics
from chatserver.realtime.bus import Hear
from chatserver.realtime.bus_redis.address import RedisAddress, Topology
from chatserver.realtime.bus_redis.dial import Dial
from chatserver.realtime.bus_redis.link import Link
from chatserver.realtime.bus_redis.listener import Verbs
from chatserver.realtime.bus_redis.outbox import Entry
from chatserver.realtime.bus_redis.shards import Cluster, OneServer, Shards
from chatserver.realtime.frame import is_from

log = structlog.get_logger(__name__)

GRACE_SECONDS = 10.0
"""How long a channel that nobody wants is listened to: people reload pages."""
UNREADY_SECONDS = 5.0
"""Deafness after which an instance should get no more traffic."""
FIRST_CONNECT_SECONDS = 2.0
FLUSH_SECONDS = 1.0


class Deaf(Exception):
    """Own beats do not come back from Redis."""


@dataclass(slots=True, eq=False)
class _Channel:
    hear: Hear
    link: Link | None
    confirmed: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    grace: asyncio.TimerHandle | None = None


class RedisBus:
    """Works, deaf, while there is no Redis."""

    def __init__(self, address: RedisAddress, prefix: str, origin: bytes, metrics: Metrics) -> None:
        self.lost: Callable[[str, bytes], None] = lambda channel, frame: None
        self.sending: Callable[[], None] = lambda: None
        self.hearing_again: Callable[[], None] = lambda: None
        self._address = address
        self._prefix = f"{prefix}:".encode()
        self._origin = origin
        self._channels: dict[bytes, _Channel] = {}
        self._shards: Shards | None = None
        self._deaf_since: float | None = None
        self._deaf_seconds = 0.0
        self._ready = asyncio.Event()
        self._published = metrics.bus_published
        self._received = metrics.bus_received
        self._dropped = metrics.bus_dropped
        self._malformed = metrics.bus_dropped.labels("malformed")
        metrics.watch(
            "bus_deaf_seconds", "Time without hearing other instances", lambda: self.deaf_seconds
        )
        metrics.watch("bus_channels", "Channels listened to", lambda: len(self._channels))

    async def start(self) -> None:
        """Connects, and goes on trying; waits a moment for success."""
        self._deaf_since = asyncio.get_running_loop().time()
        beat = self._prefix + b"beat:" + self._origin.hex().encode()
        if self._address.topology is Topology.CLUSTER:
            self._shards = Cluster(self._address, beat, self._link, self._moved)
        else:
            self._shards = OneServer(self._address, beat, self._link)
            self._moved()
        self._shards.start()
        try:
            async with asyncio.timeout(FIRST_CONNECT_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            log.warning("redis_not_reached", topology=self._address.topology.name.lower())

    async def stop(self) -> None:
        """Sends what waits, if that is quick."""
        if self._shards is None:
            return
        last = [link.flush() for link in self._shards.links()]
        if last:
            await asyncio.wait(last, timeout=FLUSH_SECONDS)
        await self._shards.stop()
        for channel in self._channels.values():
            if channel.grace is not None:
                channel.grace.cancel()

    async def check(self) -> None:
        """Raises `Deaf` where traffic should go elsewhere."""
        since = self._deaf_since
        if since is not None and asyncio.get_running_loop().time() - since > self._patience:
            raise Deaf

    @property
    def _patience(self) -> float:
        # At the start there was no time when it was fine.
        return UNREADY_SECONDS if self._ready.is_set() else 0.0

    @property
    def is_deaf(self) -> bool:
        return self._deaf_since is not None

    @property
    def deaf_seconds(self) -> float:
        if self._deaf_since is None:
            return self._deaf_seconds
        return self._deaf_seconds + asyncio.get_running_loop().time() - self._deaf_since

    def follows(self, channel: str) -> bool:
        return self._prefix + channel.encode() in self._channels

    # --- frames --------------------------------------------------------------------------------

    def publish(self, channel: str, frame: bytes, *, keep: bool) -> None:
        self._put(Entry(self._prefix + channel.encode(), frame, keep))

    def reach(self, channel: str, frame: bytes) -> "asyncio.Future[int]":
        reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(Entry(self._prefix + channel.encode(), frame, keep=False, reached=reached))
        return reached

    def _put(self, entry: Entry) -> None:
        link = self._shards.link_of(entry.channel) if self._shards is not None else None
        if link is None:
            self._give_up(entry)
        else:
            link.publisher.put(entry)

    def _give_up(self, entry: Entry) -> None:
        if entry.reached is not None and not entry.reached.done():
            entry.reached.set_result(0)
        self._dropped.labels("durable" if entry.keep else "signal").inc()
        if entry.keep:
            self.lost(entry.channel[len(self._prefix) :].decode(), entry.frame)

    def _heard(self, channel: bytes, frame: bytes) -> None:
        if is_from(self._origin, frame):
            return
        self._received.inc()
        wanted = self._channels.get(channel)
        if wanted is None:
            return
        try:
            wanted.hear(frame)
        except Exception:
            # Whatever somebody sent, it must not end the listening.
            self._malformed.inc()
            log.exception("bus_frame_crashed")

    # --- channels ------------------------------------------------------------------------------

    def subscribe(self, channel: str, hear: Hear) -> "asyncio.Future[None]":
        key = self._prefix + channel.encode()
        known = self._channels.get(key)
        if known is None:
            link = self._shards.link_of(key) if self._shards is not None else None
            known = self._channels[key] = _Channel(hear, link)
            if link is not None:
                link.listener.want(key)
        elif known.grace is not None:
            known.grace.cancel()
            known.grace = None
        known.hear = hear
        return known.confirmed

    def unsubscribe(self, channel: str) -> None:
        key = self._prefix + channel.encode()
        known = self._channels.get(key)
        if known is not None and known.grace is None:
            loop = asyncio.get_running_loop()
            known.grace = loop.call_later(GRACE_SECONDS, self._forget, key)

    def _forget(self, key: bytes) -> None:
        known = self._channels.pop(key)
        if known.link is not None:
            known.link.listener.unwant(key)

    def _confirmed(self, key: bytes) -> None:
        known = self._channels.get(key)
        if known is not None and not known.confirmed.done():
            known.confirmed.set_result(None)

    def _moved(self) -> None:
        """Wants each channel from the link that has it now."""
        assert self._shards is not None
        for key, known in self._channels.items():
            link = self._shards.link_of(key)
            if link is known.link:
                continue
            if known.link is not None:
                known.link.listener.unwant(key)
            known.link = link
            self._unsure(known)
            if link is not None:
                link.listener.want(key)
        self._judge()

    def _unsure(self, known: _Channel) -> None:
        if known.confirmed.done():
            known.confirmed = asyncio.get_running_loop().create_future()

    # --- links ---------------------------------------------------------------------------------

    def _link(self, dial: Dial, verbs: Verbs, beat_channel: bytes) -> Link:
        return Link(
            dial,
            verbs,
            beat_channel,
            heard=self._heard,
            confirmed=self._confirmed,
            give_up=self._give_up,
            sent=self._published.inc,
            able=lambda: self.sending(),
            hearing=self._hearing,
            broken=self._broken,
            doubt=self._doubt,
        )

    def _hearing(self) -> None:
        for key, known in self._channels.items():
            if known.link is not None and key in known.link.listener.subscribed:
                self._confirmed(key)
        self._judge()
        self.hearing_again()

    def _broken(self) -> None:
        for known in self._channels.values():
            if known.link is None or known.link.is_deaf:
                self._unsure(known)
        self._judge()
        self._doubt()

    def _doubt(self) -> None:
        if self._shards is not None:
            self._shards.doubt()

    def _judge(self) -> None:
        assert self._shards is not None
        links = list(self._shards.links())
        deaf = not links or any(link.is_deaf for link in links)
        now = asyncio.get_running_loop().time()
        if deaf and self._deaf_since is None:
            self._deaf_since = now
            log.warning("redis_deaf")
        elif not deaf and self._deaf_since is not None:
            self._deaf_seconds += now - self._deaf_since
            self._deaf_since = None
            self._ready.set()
            log.info("redis_heard")
