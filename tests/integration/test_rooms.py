"""Sessions that doors lead to by themselves."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from chatserver.chat.commands import DeleteSession
from chatserver.chat.errors import NotFound
from chatserver.chat.models import EventType, ReplyPolicy, Visibility
from chatserver.chat.rooms import HOUSE
from tests.conftest import Connect
from tests.servers import StartServer
from tests.waiting import eventually


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_however_many_ask_for_a_room_at_once_there_is_one(server: StartServer) -> None:
    service = (await server()).service
    found = await asyncio.gather(*(service.lobby() for _ in range(20)))
    assert {room.id for room in found} == {"lobby"}
    assert (found[0].visibility, found[0].reply_policy) == (Visibility.PUBLIC, ReplyPolicy.MENTION)
    members = await service.members(HOUSE, "lobby")
    assert {member.participant.name for member in members} == {"chatserver", "echo"}
    log = await service.store.read(lambda tx: tx.log.after("lobby", 0, 9))
    assert [event.type for event in log] == [EventType.PARTICIPANT_JOINED] * 2
    assert (await service.guests_room()).reply_policy is ReplyPolicy.ALWAYS


async def test_a_token_has_one_session_of_its_own_until_that_is_deleted(
    server: StartServer,
) -> None:
    service = (await server()).service
    ada, bob = [
        await service.authenticate((await service.issue_token(name)).token) for name in ("A", "B")
    ]
    own = await service.own_session(ada)
    assert own == await service.own_session(ada)
    assert own.visibility is Visibility.PRIVATE
    assert own.id != (await service.own_session(bob)).id
    await service.delete_session(ada.participant, DeleteSession(session_id=own.id))
    with pytest.raises(NotFound):
        await service.own_session(ada)


async def test_a_full_room_makes_room_by_those_who_are_away(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    service = running.service
    await service.lobby()
    away, here = [await connect(running, name) for name in ("Away", "Here")]
    for each in (away, here):
        await each.do("join_session", session_id="lobby")
    await away.close()
    await here.told("presence_changed", online=False)
    assert await service.make_room("lobby") == 0  # they may just be about to be seen
    monkeypatch.setattr("chatserver.chat.rooms.ARRIVING", timedelta(0))
    assert await service.make_room("lobby") == 1
    await here.told("participant_left", participant=away.me)
    members = await service.members(HOUSE, "lobby")
    assert {member.participant.name for member in members} == {"chatserver", "echo", "Here"}
    assert await service.make_room("lobby") == 0


async def test_two_who_make_room_at_once_dismiss_nobody_twice(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = (running := await server()).service
    await service.lobby()
    for number in range(5):
        away = await connect(running, f"away {number}")
        await away.do("join_session", session_id="lobby")
        await away.close()
    await eventually(lambda: _nobody(service.feed.all_online("lobby")))
    monkeypatch.setattr("chatserver.chat.rooms.ARRIVING", timedelta(0))
    made = await asyncio.gather(*(service.make_room("lobby") for _ in range(4)))
    assert sorted(made) == [0, 0, 0, 5]
    log = await service.store.read(lambda tx: tx.log.after("lobby", 0, 99))
    assert sum(event.type is EventType.PARTICIPANT_LEFT for event in log) == 5


async def _nobody(online: Awaitable[frozenset[str] | None]) -> bool:
    return await online == frozenset()
