"""When all rooms are compared with the store, and that nothing is forgotten over it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from chatserver.chat.errors import Unavailable
from chatserver.chat.models import Reply
from chatserver.chat.ports import Store
from chatserver.observability.metrics import Metrics
from chatserver.realtime.peers import Peers
from chatserver.realtime.room import Room
from chatserver.realtime.sweep import Sweep
from tests.unit.test_shared_feed import QuietBus, done
from tests.waiting import eventually


class World:
    """What is swept, and the store that it is compared with."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.running: list[tuple[str, str]] = []
        self.asked = self.reads = self.refusals = 0
        self.behinds: list[int] = []
        self.settled_replies: list[Any] = []
        self.may_read = asyncio.Event()
        self.may_read.set()

    # --- the store -----------------------------------------------------------------------------

    async def read(self, _: Any) -> Any:
        self.reads += 1
        await self.may_read.wait()
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("not now")
        return {room.session_id: 7 for room in self.rooms}

    # --- `Swept` -------------------------------------------------------------------------------

    def hosted(self) -> list[Room]:
        return list(self.rooms)

    def behind(self, room: Room, seq: int) -> None:
        self.behinds.append(seq)

    def vanished(self, room: Room) -> None: ...

    async def ask_all(self) -> None:
        self.asked += 1

    async def announce_all(self) -> None: ...

    def replies_elsewhere(self) -> list[tuple[str, str]]:
        return self.running

    def settled(self, reply: Reply) -> None:
        self.settled_replies.append(reply)

    def doubt_tokens(self) -> None: ...


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def sweep(
    world: World, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sweep]:
    monkeypatch.setattr("chatserver.realtime.sweep.LOOK_SECONDS", 0.01)
    peers = Peers(lambda origin: None, 10)
    sweep = Sweep(world, QuietBus(), cast(Store, world), metrics, peers)
    sweep.start()
    yield sweep
    await sweep.stop()


def room() -> Room:
    return Room("session", done(None))


async def test_replies_are_asked_for_again_where_the_store_did_not_answer(
    world: World, sweep: Sweep
) -> None:
    world.running = [("session", "reply")]
    world.refusals = 2
    sweep.heal()
    await eventually(lambda: world.settled_replies)
    assert world.reads == 3
    assert world.asked == 1


async def test_what_is_lost_during_a_look_causes_another(world: World, sweep: Sweep) -> None:
    world.rooms = [room()]
    world.may_read.clear()
    sweep.heal()
    await eventually(lambda: world.reads == 1)
    sweep.heal()
    world.may_read.set()
    await eventually(lambda: world.asked == 2)
    assert world.behinds == [7, 7]


async def test_only_comparisons_of_all_rooms_are_counted(
    world: World, sweep: Sweep, metrics: Metrics
) -> None:
    world.rooms = [room()]
    sweep.heal()
    await eventually(lambda: world.asked == 1)
    sweep.look_at(world.rooms[0])
    await eventually(lambda: world.behinds == [7, 7])
    assert metrics.registry.get_sample_value("chatserver_catch_ups_total") == 1


async def test_a_new_room_is_looked_at_once_the_store_answers(world: World, sweep: Sweep) -> None:
    sweep.heal()
    await eventually(lambda: world.asked == 1)
    world.rooms, world.refusals = [room()], 1
    sweep.look_at(world.rooms[0])
    await eventually(lambda: world.behinds == [7])
    assert world.reads == 2
