"""Hears the channels that are wanted, over all reconnects."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from redis.asyncio.connection import AbstractConnection

from chatserver.realtime.bus_redis.dial import FAILURES, Dial
from chatserver.realtime.bus_redis.publisher import pause_after
from chatserver.realtime.bus_redis.resp import command

log = structlog.get_logger(__name__)

CHANNELS_PER_COMMAND = 500


@dataclass(frozen=True, slots=True)
class Verbs:
    publish: bytes
    subscribe: bytes
    unsubscribe: bytes
    message: bytes
    many: int
    """Channels that one command may name."""


PLAIN = Verbs(b"PUBLISH", b"SUBSCRIBE", b"UNSUBSCRIBE", b"message", CHANNELS_PER_COMMAND)
SHARDED = Verbs(b"SPUBLISH", b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"smessage", 1)
"""Channels of one command would have to share a slot."""


class Listener:
    """One connection that only subscribes."""

    def __init__(
        self,
        dial: Dial,
        verbs: Verbs,
        *,
        heard: Callable[[bytes, bytes], None],
        confirmed: Callable[[bytes], None],
        complete: Callable[[], None],
        broken: Callable[[], None],
    ) -> None:
        """`complete`: after a connect, all that was wanted by then is subscribed."""
        self._dial = dial
        self._verbs = verbs
        self._heard = heard
        self._confirmed = confirmed
        self._complete = complete
        self._broken = broken
        self.wanted: set[bytes] = set()
        self.subscribed: set[bytes] = set()
        """Those of the wanted that are heard, as far as is known."""
        self.is_complete = False
        self._is_connected = False
        self._commands: list[tuple[bytes, bytes]] = []
        self._asked: Counter[bytes] = Counter()
        """Subscriptions under way, by channel."""
        self._wake = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    def want(self, channel: bytes) -> None:
        if channel not in self.wanted:
            self.wanted.add(channel)
            self._command(self._verbs.subscribe, channel)

    def unwant(self, channel: bytes) -> None:
        if channel in self.wanted:
            self.wanted.discard(channel)
            self.subscribed.discard(channel)
            self._command(self._verbs.unsubscribe, channel)

    def reset(self) -> None:
        """Connects anew: this connection has fallen silent."""
        if self._serving is not None:
            self._serving.cancel()

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            try:
                connection = await self._dial()
            except FAILURES:
                failures += 1
            else:
                # One that breaks off before all is subscribed has not served.
                failures = 0 if await self._attend(connection) else failures + 1
            self._broken()
            await asyncio.sleep(pause_after(failures))

    async def _attend(self, connection: AbstractConnection) -> bool:
        """Whether all that was wanted was subscribed for a time."""
        self._serving = asyncio.create_task(self._serve(connection))
        try:
            await asyncio.wait([self._serving])
        finally:
            has_served = self.is_complete
            self.is_complete = self._is_connected = False
            self.subscribed.clear()
            if not self._serving.done():  # we are cancelled ourselves
                self._serving.cancel()
                await asyncio.wait([self._serving])
            await connection.disconnect(nowait=True)
        if self._serving.cancelled():
            log.warning("redis_listener_silent")
        elif (failure := self._serving.exception()) is not None:
            if not isinstance(failure, FAILURES):
                log.error("redis_listener_crashed", exc_info=failure)
            else:
                log.warning("redis_listener_lost", error=type(failure).__qualname__)
        return has_served

    async def _serve(self, connection: AbstractConnection) -> None:
        self._asked.clear()
        self._commands.clear()
        self._is_connected = True
        for channel in self.wanted:
            self._command(self._verbs.subscribe, channel)
        writing = asyncio.create_task(self._write(connection))
        reading = asyncio.create_task(self._read(connection))
        try:
            await asyncio.wait([writing, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
            reading.cancel()
            await asyncio.wait([writing, reading])
        for task in (reading, writing):
            if not task.cancelled():
                task.result()

    def _command(self, verb: bytes, channel: bytes) -> None:
        if not self._is_connected:
            return
        if verb == self._verbs.subscribe:
            self._asked[channel] += 1
        self._commands.append((verb, channel))
        self._wake.set()

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            commands, self._commands = self._commands, []
            await connection.send_packed_command(self._packed(commands), check_health=False)

    def _packed(self, commands: list[tuple[bytes, bytes]]) -> bytes:
        """Neighbours with the same verb share a command where they may."""
        out, run, last = [], list[bytes](), b""
        for verb, channel in commands:
            if run and (verb != last or len(run) == self._verbs.many):
                out.append(command(last, *run))
                run = []
            last = verb
            run.append(channel)
        if run:
            out.append(command(last, *run))
        return b"".join(out)

    async def _read(self, connection: AbstractConnection) -> None:
        message, heard, read = self._verbs.message, self._heard, connection.read_response
        while True:
            reply = await read(disable_decoding=True, timeout=math.inf)
            if reply[0] == message:
                heard(reply[1], reply[2])
            else:
                self._note(reply[0], reply[1])

    def _note(self, verb: bytes, channel: bytes) -> None:
        if verb.upper() == self._verbs.subscribe:
            self._asked[channel] -= 1
            if self._asked[channel] > 0:
                return
            del self._asked[channel]
            if channel in self.wanted:
                self.subscribed.add(channel)
                self._confirmed(channel)
            if not self._asked and not self.is_complete:
                self.is_complete = True
                self._complete()
        elif (
            verb.upper() == self._verbs.unsubscribe
            and channel in self.wanted
            and not self._asked[channel]
        ):
            raise ConnectionError("the slot has moved to another server")
