"""Connections of one participant, and the channel they share."""

import asyncio

from chatserver.observability.metrics import Metrics
from chatserver.realtime.attending import Attending
from chatserver.realtime.bus import Hear
from chatserver.realtime.manager import RoomManager
from tests.unit.test_shared_feed import QuietBus


class SlowBus(QuietBus):
    """Confirms when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def subscribe(self, channel: str, hear: Hear) -> "asyncio.Future[None]":
        super().subscribe(channel, hear)
        return self.confirmed


async def test_a_second_connection_waits_for_the_same_confirmation() -> None:
    bus = SlowBus()
    attending = Attending(bus, RoomManager(), Metrics())
    both = [asyncio.create_task(attending.attend("ada", 60)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in both)
    bus.confirmed.set_result(None)
    await asyncio.wait_for(asyncio.gather(*both), 5)
    attending.depart("ada")
    assert bus.channels
    attending.depart("ada")
    assert not bus.channels


async def test_who_gives_up_waiting_leaves_the_channel_to_the_others() -> None:
    bus = SlowBus()
    attending = Attending(bus, RoomManager(), Metrics())
    first, second = [asyncio.create_task(attending.attend("ada", 60)) for _ in range(2)]
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    assert bus.channels
    bus.confirmed.set_result(None)
    await asyncio.wait_for(first, 5)
