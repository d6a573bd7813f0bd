"""Becoming a member and ceasing to be one, at several places and over a wire that is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chatserver.client import ChatClient, ChatSession, Event
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
