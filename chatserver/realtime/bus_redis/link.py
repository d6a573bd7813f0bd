"""A publisher and a listener on one server, which is alive while they hear each other."""

import asyncio
from collections.abc import Callable

from chatserver.realtime.bus_redis.dial import Dial
from chatserver.realtime.bus_redis.listener import Listener, Verbs
from chatserver.realtime.bus_redis.outbox import Entry
from chatserver.realtime.bus_redis.publisher import Publisher

BEAT_SECONDS = 1.0
DEAF_SECONDS = 3.0
"""Silence after which the link counts as deaf."""
RESET_SECONDS = 8.0
"""Silence after which the listener connects anew."""


class Link:
    """Owns the beat channel, which must be a channel of its server."""

    def __init__(
        self,
        dial: Dial,
        verbs: Verbs,
        beat_channel: bytes,
        *,
        heard: Callable[[bytes, bytes], None],
        confirmed: Callable[[bytes], None],
        give_up: Callable[[Entry], None],
        sent: Callable[[int], None],
        able: Callable[[], None],
        hearing: Callable[[], None],
        broken: Callable[[], None],
        doubt: Callable[[], None],
    ) -> None:
        """`hearing`: all channels are heard again after a time of doubt. `broken`: doubt begins.

        `doubt`: another server may be in the place of this one.
        """
        self.beat_channel = beat_channel
        self._heard = heard
        self._hearing = hearing
        self._broken = broken
        self._heard_at = self._reset_at = asyncio.get_running_loop().time()
        self.is_deaf = True
        self.publisher = Publisher(
            dial, verbs.publish, give_up=give_up, sent=sent, able=able, broken=doubt
        )
        self.listener = Listener(
            dial,
            verbs,
            heard=self._take,
            confirmed=confirmed,
            complete=self._complete,
            broken=self._lost,
        )
        self.listener.want(beat_channel)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def silence(self) -> float:
        """Seconds since the last own beat was heard."""
        return asyncio.get_running_loop().time() - self._heard_at

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self.publisher.run(), name="redis-publisher"),
            asyncio.create_task(self.listener.run(), name="redis-listener"),
            asyncio.create_task(self._beat(), name="redis-beat"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def flush(self) -> "asyncio.Future[int]":
        """Resolves once all that waits has been sent, or given up."""
        reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.publisher.put(Entry(self.beat_channel, b"", keep=False, reached=reached))
        return reached

    async def _beat(self) -> None:
        while True:
            if self.publisher.is_connected:
                self.publisher.put(Entry(self.beat_channel, b"beat", keep=False))
            if self.silence > DEAF_SECONDS and not self.is_deaf:
                self.is_deaf = True
                self._broken()
            now = asyncio.get_running_loop().time()
            if min(self.silence, now - self._reset_at) > RESET_SECONDS:
                self._reset_at = now
                self.listener.reset()
            await asyncio.sleep(BEAT_SECONDS)

    def _take(self, channel: bytes, frame: bytes) -> None:
        if channel != self.beat_channel:
            self._heard(channel, frame)
            return
        self._heard_at = asyncio.get_running_loop().time()
        if self.is_deaf and self.listener.is_complete:
            self._recover()

    def _complete(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._recover()

    def _recover(self) -> None:
        self.is_deaf = False
        self._hearing()

    def _lost(self) -> None:
        if not self.is_deaf:
            self.is_deaf = True
            self._broken()
