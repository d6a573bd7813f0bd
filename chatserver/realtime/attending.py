"""The channels of the participants who are connected here."""

import asyncio
from collections import Counter
from functools import partial

from chatserver.observability.metrics import Metrics
from chatserver.realtime.bus import Bus, participant_channel
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.frame import Kind, unpack
from chatserver.realtime.manager import NAMESPACE, RoomManager
from chatserver.realtime.room import participant_room


class Attending:
    """How many connections each of them has; who has none is not listened for."""

    def __init__(self, bus: Bus, manager: RoomManager, metrics: Metrics) -> None:
        self._bus = bus
        self._manager = manager
        self._metrics = metrics
        self._connections: Counter[str] = Counter()

    async def attend(self, participant_id: str, seconds: float) -> None:
        """Returns when their notes are heard, and at the latest after this time."""
        self._connections[participant_id] += 1
        hear = partial(self._hear, participant_id)
        confirmed = self._bus.subscribe(participant_channel(participant_id), hear)
        if not self._bus.is_deaf:
            try:
                await asyncio.wait([confirmed], timeout=seconds)
            except BaseException:
                self.depart(participant_id)
                raise

    def depart(self, participant_id: str) -> None:
        self._connections[participant_id] -= 1
        if self._connections[participant_id] <= 0:
            del self._connections[participant_id]
            self._bus.unsubscribe(participant_channel(participant_id))

    def _hear(self, participant_id: str, raw: bytes) -> None:
        frame = unpack(raw)
        if frame.kind == Kind.NOTE:
            packet = Outgoing.message(frame.body.decode())
            reached = self._manager.fan_out(NAMESPACE, participant_room(participant_id), packet)
            self._metrics.deliveries.inc(reached)
