"""Visitors: connections of the gateways, beside those of Socket.IO."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chatserver.app import SERVER
from chatserver.chat.commands import (
    CreateSession,
    JoinSession,
    LeaveSession,
    SendMessage,
    SessionResult,
)
from chatserver.chat.errors import (
    Draining,
    InvalidPayload,
    RateLimited,
    SlowConsumer,
    TokenRevoked,
    TooManyConnections,
    TooManySessions,
)
from chatserver.chat.events import ServerDraining, SessionAdded, SessionDeleted, Signal
from chatserver.chat.models import Event
from chatserver.chat.ports import Visitor
from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually

Heard = AsyncIterator[Event | Signal]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as open_visits:
        yield open_visits


async def visit(stack: AsyncExitStack, server: RunningServer, token: str) -> Visitor:
    return await stack.enter_async_context(server.app[SERVER].visitors.admit(token, "192.0.2.1"))


async def a_session(visitor: Visitor) -> str:
    created = await visitor.perform(CreateSession(bot=None))
    assert isinstance(created, SessionResult)
    return created.session.id


def message(session_id: str, text: str) -> SendMessage:
    return SendMessage(session_id=session_id, text=text, client_message_id=text)


async def take(heard: Heard, kind: type[Event] | type[Signal]) -> Event | Signal:
    async with asyncio.timeout(PATIENCE):
        async for each in heard:
            if isinstance(each, kind):
                return each
    raise AssertionError("unreachable: it ends by an error only")


async def texts(heard: Heard, count: int) -> list[str]:
    said: list[str] = []
    while len(said) < count:
        event = await take(heard, Event)
        assert isinstance(event, Event)
        if "text" in event.data:
            said.append(event.data["text"])
    return said


async def test_a_visitor_and_a_socketio_client_hear_the_same_log(
    server: StartServer, connect: Connect, stack: AsyncExitStack
) -> None:
    running = await server()
    ada = await connect(running)
    session_id = await session_of(ada)
    bob = await visit(stack, running, await running.token("Bob"))
    heard = bob.heard()
    joined = await bob.perform(JoinSession(session_id=session_id))
    assert [event.seq for event in joined.events] == [1, 2]  # type: ignore[attr-defined]
    for number in range(10):
        await ada.say(session_id, f"a{number}")
        await bob.perform(message(session_id, f"b{number}"))
    expected = [f"{who}{number}" for number in range(10) for who in "ab"]
    assert await texts(heard, 20) == expected
    for text in expected:
        await ada.told("message_created", text=text)


async def test_a_visitor_is_present_until_the_context_ends(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada = await connect(running)
    session_id = await session_of(ada)
    async with AsyncExitStack() as stack:
        bob = await visit(stack, running, await running.token("Bob"))
        await bob.perform(JoinSession(session_id=session_id))
        await ada.told("presence_changed", online=True)
    await ada.told("presence_changed", online=False)


async def test_who_left_a_session_hears_no_more_of_it(
    server: StartServer, stack: AsyncExitStack
) -> None:
    running = await server()
    token = await running.token()
    ada, other = await visit(stack, running, token), await visit(stack, running, token)
    heard = other.heard()
    session_id = await a_session(ada)
    await take(heard, SessionAdded)
    await other.perform(JoinSession(session_id=session_id))
    await ada.perform(LeaveSession(session_id=session_id))
    left = await take(heard, Event)
    assert isinstance(left, Event)
    assert left.type == "participant_left"
    second = await a_session(other)
    event = await take(heard, SessionAdded)
    assert isinstance(event, SessionAdded)
    assert event.session.id == second


async def test_a_revoked_token_ends_the_visit_at_once(
    server: StartServer, stack: AsyncExitStack
) -> None:
    running = await server()
    token = await running.token()
    ada = await visit(stack, running, token)
    await a_session(ada)
    await running.service.revoke_token(token)
    assert isinstance(await asyncio.wait_for(ada.end(), PATIENCE), TokenRevoked)
    with pytest.raises(TokenRevoked):
        await take(ada.heard(), SessionDeleted)


async def test_who_takes_too_slowly_is_cut_off(server: StartServer, stack: AsyncExitStack) -> None:
    running = await server(unsent_bytes=65_536, text_chars=60_000)
    ada = await visit(stack, running, await running.token())
    session_id = await a_session(ada)
    for number in range(4):
        await ada.perform(
            SendMessage(session_id=session_id, text="x" * 40_000, client_message_id=str(number))
        )
    assert isinstance(await asyncio.wait_for(ada.end(), PATIENCE), SlowConsumer)


async def test_a_drain_is_heard_after_all_that_came_before(
    server: StartServer, stack: AsyncExitStack
) -> None:
    running = await server()
    ada = await visit(stack, running, await running.token())
    session_id = await a_session(ada)
    await ada.perform(message(session_id, "last"))
    await running.app.shutdown()
    heard = ada.heard()
    assert await texts(heard, 1) == ["last"]
    await take(heard, ServerDraining)
    with pytest.raises(Draining):
        await take(heard, Event)
    with pytest.raises(Draining):
        await ada.perform(message(session_id, "late"))


async def test_a_visit_is_bounded_as_any_connection_is(
    server: StartServer, stack: AsyncExitStack
) -> None:
    running = await server(
        connections_per_address=1, rooms_per_connection=1, events_burst=3, events_per_second=0.001
    )
    ada = await visit(stack, running, await running.token())
    with pytest.raises(TooManyConnections):
        await visit(stack, running, await running.token())
    session_id = await a_session(ada)
    with pytest.raises(TooManySessions):
        await a_session(ada)
    with pytest.raises(InvalidPayload):
        await ada.attempt(SendMessage, {"session_id": session_id})
    with pytest.raises(RateLimited):
        await ada.perform(message(session_id, "again"))


async def test_nothing_of_a_visit_is_left_behind(server: StartServer) -> None:
    running = await server()
    parts = running.app[SERVER]
    for token in (await running.token(), "nobody's"):
        async with AsyncExitStack() as stack:
            try:
                await a_session(await visit(stack, running, token))
            except Exception:
                assert token == "nobody's"
    await eventually(lambda: not parts.feed._rooms)
    assert parts.sockets.census.total == 0
    assert not parts.sockets.rooms_manager.rooms
