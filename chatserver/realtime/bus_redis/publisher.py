"""Sends what is in the outbox, one pipeline at a time."""

import asyncio
import random
from collections.abc import Callable

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from chatserver.realtime.bus_redis.dial import FAILURES, Dial
from chatserver.realtime.bus_redis.outbox import Entry, Outbox
from chatserver.realtime.bus_redis.resp import command

log = structlog.get_logger(__name__)

OUTBOX_COUNT = 20_000
OUTBOX_BYTES = 16 * 1_048_576
PIPELINE_COUNT = 500
PIPELINE_BYTES = 1_048_576
ANSWER_SECONDS = 5.0
"""A server that does not answer a pipeline for so long is connected to anew."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


def pause_after(failures: int) -> float:
    """Seconds before the next try to connect: doubling, capped, with jitter."""
    longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10))
    return longest * (0.5 + random.random() / 2)


class Publisher:
    """Takes frames at any time. While there is no connection, it gives them up at once."""

    def __init__(
        self,
        dial: Dial,
        verb: bytes,
        *,
        give_up: Callable[[Entry], None],
        sent: Callable[[int], None],
        able: Callable[[], None],
        broken: Callable[[], None],
    ) -> None:
        """`able` is called after each connecting, `sent` with how many frames were taken."""
        self._dial = dial
        self._verb = verb
        self._give_up = give_up
        self._sent = sent
        self._able = able
        self._broken = broken
        self.outbox = Outbox(OUTBOX_COUNT, OUTBOX_BYTES, give_up)
        self.is_connected = False

    def put(self, entry: Entry) -> None:
        if self.is_connected:
            self.outbox.put(entry)
        else:
            self._give_up(entry)

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            try:
                connection = await self._dial()
            except FAILURES as failure:
                if not failures:
                    log.warning("redis_unreachable", error=type(failure).__qualname__)
                failures += 1
            else:
                failures = 0
                try:
                    await self._serve(connection)
                except FAILURES as failure:
                    log.warning("redis_publisher_lost", error=type(failure).__qualname__)
                finally:
                    self.is_connected = False
                    self.outbox.clear()
                    await connection.disconnect(nowait=True)
            self._broken()
            await asyncio.sleep(pause_after(failures))

    async def _serve(self, connection: AbstractConnection) -> None:
        self.is_connected = True
        self._able()
        while True:
            batch = await self.outbox.take(PIPELINE_COUNT, PIPELINE_BYTES)
            answered = 0
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await connection.send_packed_command(self._packed(batch), check_health=False)
                    for entry in batch:
                        await self._answer(connection, entry)
                        answered += 1
            finally:
                self._sent(answered)
                # They may have been taken all the same; twice does no harm.
                for entry in batch[answered:]:
                    self._give_up(entry)

    async def _answer(self, connection: AbstractConnection, entry: Entry) -> None:
        try:
            count = await connection.read_response(disable_decoding=True)
        except ResponseError as refusal:
            if str(refusal).startswith(("MOVED", "ASK", "CLUSTERDOWN", "READONLY", "TRYAGAIN")):
                raise
            log.warning("redis_refused", error=str(refusal).partition(" ")[0])
            self._give_up(entry)
            return
        if entry.reached is not None and not entry.reached.done():
            entry.reached.set_result(count)

    def _packed(self, batch: list[Entry]) -> bytes:
        verb = self._verb
        return b"".join([command(verb, entry.channel, entry.frame) for entry in batch])
