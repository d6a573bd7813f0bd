"""Sends what is in the outbox, one pipeline at a time."""

import asyncio
import random
from collections.abc import Callable

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

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
ABLE_SECONDS = 1.0
"""Shortest time between two calls of `able`: each has all rooms announced."""
WRONG_SERVER = (
    AskError,  # and MOVED
    ClusterDownError,
    ReadOnlyError,
    TryAgainError,
)
"""Refusals by a server in whose place another one may be."""
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
        """`able` is called whenever frames can leave again, `sent` with how many were taken,

        `broken` after each connection, and each try to have one, that failed.
        """
        self._dial = dial
        self._verb = verb
        self._tell_given_up = give_up
        self._sent = sent
        self._able = able
        self._broken = broken
        self.outbox = Outbox(OUTBOX_COUNT, OUTBOX_BYTES, self._give_up)
        self.is_connected = False
        self._takes_frames = True
        """Whether the server takes what it is sent, as far as is known."""
        self._owes = False
        """Whether a frame to be kept was given up since `able` was called."""
        self._able_at = -ABLE_SECONDS

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
                try:
                    await self._serve(connection)
                except FAILURES as failure:
                    log.warning("redis_publisher_lost", error=type(failure).__qualname__)
                finally:
                    self.is_connected = False
                    self.outbox.clear()
                    await connection.disconnect(nowait=True)
                failures = 0 if self._takes_frames else failures + 1
            self._broken()
            await asyncio.sleep(pause_after(failures))

    async def _serve(self, connection: AbstractConnection) -> None:
        self.is_connected = True
        # One that took nothing the last time has to prove itself: all rooms would be announced.
        self._owes = True
        if self._takes_frames:
            self._tell_able()
        self._takes_frames = False
        while True:
            batch = await self.outbox.take(PIPELINE_COUNT, PIPELINE_BYTES)
            if await self._send(connection, batch):
                self._takes_frames = True
                self._tell_able()

    def _tell_able(self) -> None:
        if self._owes and _now() - self._able_at >= ABLE_SECONDS:
            self._owes, self._able_at = False, _now()
            self._able()

    async def _send(self, connection: AbstractConnection, batch: list[Entry]) -> bool:
        """Whether all of it was taken. Raises one of `FAILURES`."""
        answered = taken = 0
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.send_packed_command(self._packed(batch), check_health=False)
                for entry in batch:
                    taken += await self._answer(connection, entry)
                    answered += 1
        finally:
            self._sent(taken)
            # They may have been taken all the same; twice does no harm.
            for entry in batch[answered:]:
                self._give_up(entry)
        return taken == len(batch)

    async def _answer(self, connection: AbstractConnection, entry: Entry) -> bool:
        try:
            count = await connection.read_response(disable_decoding=True)
        except WRONG_SERVER:
            raise
        except ResponseError as refusal:
            log.warning("redis_refused", error=str(refusal).partition(" ")[0])
            self._give_up(entry)
            return False
        if entry.reached is not None and not entry.reached.done():
            entry.reached.set_result(count)
        return True

    def _give_up(self, entry: Entry) -> None:
        self._owes = self._owes or entry.keep
        self._tell_given_up(entry)

    def _packed(self, batch: list[Entry]) -> bytes:
        verb = self._verb
        return b"".join([command(verb, entry.channel, entry.frame) for entry in batch])


def _now() -> float:
    return asyncio.get_running_loop().time()
