"""AIs that a framed door does not let in again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest

from chatserver.cli.ai import refusals
from chatserver.cli.ai.framed_door import FramedDoor, framed_door
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.refusals import Refused
from tests.integration.doors import ais
from tests.integration.doors.framed_room import FramedRoom


@pytest.fixture
async def room() -> AsyncIterator[FramedRoom]:
    async with FramedRoom() as room:
        yield room


@asynccontextmanager
async def put_out(room: FramedRoom, refuses: HTTPStatus) -> AsyncIterator[FramedDoor]:
    """The door of an AI that has lost its connection and is refused."""
    reported = asyncio.Event()
    uri = FramedUri.parse(room.uri("AI-1"))

    def report(text: str) -> None:
        if f"HTTP {refuses}" in text:
            reported.set()

    async with framed_door(uri, report, backoff=ais.soon()) as door:
        await room.until("AI-1")
        room.refuses = refuses
        room.present["AI-1"].transport.abort()
        if refuses is HTTPStatus.FORBIDDEN:
            async with asyncio.timeout(10):
                await reported.wait()
        yield door


async def listen(door: FramedDoor) -> None:
    async with asyncio.timeout(10):
        async for _ in door.heard():
            pass


async def test_who_is_refused_on_coming_back_gives_up(room: FramedRoom) -> None:
    async with put_out(room, HTTPStatus.GONE) as door:
        with pytest.raises(Refused, match="410"):
            await listen(door)
        with pytest.raises(Refused, match="410"):
            await door.say("hello", "key")


async def test_a_name_that_stays_taken_is_given_up_after_a_while(
    room: FramedRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "TAKEN_SECONDS", 0.5)
    async with put_out(room, HTTPStatus.FORBIDDEN) as door:
        with pytest.raises(Refused, match="403"):
            await listen(door)


async def test_a_name_that_is_taken_for_a_moment_is_waited_for(room: FramedRoom) -> None:
    async with put_out(room, HTTPStatus.FORBIDDEN) as door:
        room.refuses = None
        await room.until("AI-1")
        await door.say("hello", "key")
        assert await room.heard(1) == [("AI-1", "hello")]


async def test_who_is_put_out_by_the_server_ends(room: FramedRoom) -> None:
    uri = FramedUri.parse(room.uri("AI-1"))
    async with framed_door(uri, lambda _: None, backoff=ais.soon()) as door:
        await room.until("AI-1")
        await room.present["AI-1"].close(1008)
        with pytest.raises(Refused, match="1008"):
            await listen(door)
