"""Becoming a member and ceasing to be one, at several places and over a wire that is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chatserver.chat.commands import GetHistory, History, LeaveSession, Nothing
from chatserver.chat.errors import Internal, NotFound
from chatserver.chat.models import Participant, Role
from chatserver.chat.service import ChatService
from chatserver.chat.sessions import RECOVERY_EVENTS
from chatserver.client import (
    ChatClient,
    ChatSession,
    ConnectionLost,
    Event,
    EventType,
    NotConnected,
    calls,
)
from chatserver.client.backoff import Backoff
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually
from tests.wire import Wire


class Street:
    """Ada and Bob at home, and Bob on the way, whose wire can be cut."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self.wire = Wire(running.url)

    async def begin(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.wire)
        url = self.running.url
        self.ada = await stack.enter_async_context(ChatClient(url, name="Ada"))
        self.bob = await stack.enter_async_context(ChatClient(url, name="Bob"))
        self.away = await stack.enter_async_context(
            ChatClient(self.wire.url, token=self.bob.token, backoff=Backoff(first=0.05, cap=0.1))
        )

    async def cut(self) -> None:
        self.wire.cut()
        await eventually(lambda: not self.away.connected)

    async def mend(self) -> None:
        await self.wire.mend()
        await eventually(lambda: self.away.connected)

    async def names(self, session: ChatSession) -> set[str]:
        """Who is a member, as the server has it."""
        path = f"/api/v1/sessions/{session.id}/members"
        answer = await self.running.rest("GET", path, token=self.ada.token)
        return {member["participant"]["name"] for member in answer["members"]}


@pytest.fixture
async def street(server: StartServer) -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        street = Street(await server())
        await street.begin(stack)
        yield street


async def until(session: ChatSession, text: str) -> list[Event]:
    """The next events, up to the message with that text."""
    events: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        async for event in session.events():
            events.append(event)
            if event.data.get("text") == text:
                break
    return events


async def the_rest(session: ChatSession) -> list[Event]:
    """All events until there will be no more."""
    async with asyncio.timeout(PATIENCE):
        return [event async for event in session.events()]


async def test_a_first_join_that_is_interrupted_is_repeated_with_its_invite(
    street: Street,
) -> None:
    room = await street.ada.create_session(bot=None)
    invite = (await room.create_invite()).invite
    await street.cut()
    joining = asyncio.create_task(street.away.join(room.id, after_seq=0, invite=invite))
    await asyncio.sleep(0)  # its task begins, and waits for the connection
    assert street.away.sessions() == []
    await street.mend()
    joined = await asyncio.wait_for(joining, PATIENCE)
    assert street.away.sessions() == [joined.info]
    await room.send("heard?")
    assert [e.seq for e in await until(joined, "heard?")] == [1, 2, 3]


async def test_leaving_elsewhere_ends_the_events_and_one_stays_away(street: Street) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    home, way = await street.bob.join(room.id), await street.away.join(room.id)
    await home.leave()
    for events in (await the_rest(home), await the_rest(way)):
        assert [e.type for e in events][-1] is EventType.PARTICIPANT_LEFT
    assert street.away.sessions() == []
    await street.cut()
    await street.mend()
    assert await street.names(room) == {"Ada"}
    with pytest.raises(NotFound):
        await way.leave()
    again = await street.away.join(room.id)
    assert again is not way
    await again.send("back again")
    assert await street.names(room) == {"Ada", "Bob"}


async def test_who_left_and_came_back_elsewhere_goes_on_reading(street: Street) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    home, way = await street.bob.join(room.id), await street.away.join(room.id, after_seq=2)
    await street.cut()
    await home.leave()
    await street.bob.join(room.id)
    await room.send("welcome back")
    await street.mend()
    assert [e.type for e in await until(way, "welcome back")] == [
        EventType.PARTICIPANT_LEFT,
        EventType.PARTICIPANT_JOINED,
        EventType.MESSAGE_CREATED,
    ]


async def test_a_log_that_tells_of_an_earlier_leave_is_read_to_its_end(street: Street) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    await (await street.bob.join(room.id)).leave()
    for number in range(RECOVERY_EVENTS + 10):
        await room.send(f"message {number}")
    await street.bob.join(room.id)
    way = await street.away.join(room.id, after_seq=0)
    await room.send("the last")
    assert [e.seq for e in await until(way, "the last")] == list(range(1, RECOVERY_EVENTS + 16))
    assert [m.participant.name for m in way.members.values()] == ["Ada", "Bob"]


@pytest.mark.parametrize("taken", ["before the cut", "never"])
async def test_a_leave_whose_ack_was_lost_is_not_turned_into_a_join(
    street: Street, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    way = await street.away.join(room.id)
    leave, lost = ChatService.leave_session, asyncio.Event()

    async def leave_unheard(
        service: ChatService, actor: Participant, command: LeaveSession
    ) -> Nothing:
        monkeypatch.undo()
        street.wire.cut()
        if taken == "never":
            raise Internal("nothing happened")
        left = await leave(service, actor, command)
        lost.set()
        return left

    monkeypatch.setattr(ChatService, "leave_session", leave_unheard)
    with pytest.raises(ConnectionLost):
        await way.leave()
    if taken == "before the cut":
        await asyncio.wait_for(lost.wait(), PATIENCE)
    await street.mend()
    assert await street.names(room) == {"Ada"}
    assert street.away.sessions() == []
    await the_rest(way)


async def test_leaving_elsewhere_ends_events_that_are_just_being_paged_for(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    home = await street.bob.join(room.id)
    for number in range(RECOVERY_EVENTS):
        await room.send(f"message {number}")
    way = await street.away.join(room.id, after_seq=0)
    read, asked, go_on = ChatService.get_history, asyncio.Event(), asyncio.Event()

    async def read_late(service: ChatService, actor: Participant, command: GetHistory) -> History:
        asked.set()
        await go_on.wait()
        return await read(service, actor, command)

    monkeypatch.setattr(ChatService, "get_history", read_late)
    reading = asyncio.create_task(the_rest(way))
    await asyncio.wait_for(asked.wait(), PATIENCE)
    await home.leave()
    await eventually(lambda: street.away.sessions() == [])
    go_on.set()
    assert await reading == []


async def test_a_leave_that_was_never_sent_changes_nothing(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    way = await street.away.join(room.id)
    await street.cut()
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.1)
    with pytest.raises(NotConnected):
        await way.leave()
    await street.mend()
    await room.send("still there?")
    assert (await until(way, "still there?"))[-1].data["text"] == "still there?"


async def test_the_heir_of_an_owner_who_left_is_the_owner(street: Street) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    his = await street.bob.join(room.id)
    assert his.members[street.bob.participant.id].role is Role.MEMBER
    await room.leave()
    await eventually(lambda: street.ada.participant.id not in his.members)
    assert his.members[street.bob.participant.id].role is Role.OWNER


async def test_an_outage_that_lasts_does_not_end_the_events(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await street.ada.create_session(visibility="link", bot=None)
    for number in range(RECOVERY_EVENTS):
        await room.send(f"message {number}")
    way = await street.away.join(room.id, after_seq=0)
    await street.cut()
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.1)
    reading = asyncio.create_task(until(way, "the last"))
    for _ in range(3):
        with pytest.raises(ConnectionLost):
            await way.history()
    assert not reading.done()
    monkeypatch.undo()
    await room.send("the last")
    await street.mend()
    assert [e.seq for e in await reading] == list(range(1, RECOVERY_EVENTS + 4))
    await street.cut()
    ending = asyncio.create_task(the_rest(way))
    await street.away.close()
    assert await ending == []
