"""Clients of the WebSocket doors that go without waiting: what has arrived of them counts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from chatserver.app import SERVER
from chatserver.chat.models import EventType
from chatserver.chat.rooms import LOBBY
from tests.integration.doors import framed, plain_clients
from tests.integration.doors.test_plain_stuck import (
    QUICK,
    a_session,
    connections,
    deaf,
    little_is_under_way,
    say_much,
)
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually

SAID = [f"@echo {number}" for number in range(50)]
TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
CLOSING = {"with a close frame": CLOSE, "without": None}


def ws_frame(opcode: int, payload: bytes = b"") -> bytes:
    """A whole one of a client's, of less than 126 bytes (RFC 6455, 5.2)."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def say_and_go(client: ClientConnection, texts: Iterable[bytes], last: int | None) -> None:
    """All in one piece, and then the end of the stream. The client reads on."""
    frames = list(texts)
    frames.insert(len(frames) // 2, ws_frame(PING))
    if last is not None:
        frames.append(ws_frame(last, b"\x03\xe8"))
    client.transport.write(b"".join(frames))
    client.transport.write_eof()


@asynccontextmanager
async def inattentive(uri: str) -> AsyncIterator[ClientConnection]:
    """It does not itself see that its end of the line is closed."""
    client = await connect(uri, proxy=None, max_queue=None)
    try:
        yield client
    finally:
        client.transport.abort()


async def said_in(server: RunningServer, session_id: str) -> list[str]:
    log = await plain_clients.log_of(server, session_id)
    people = (e for e in log if e.type is EventType.MESSAGE_CREATED and e.sender.kind == "user")
    return [event.data["text"] for event in people]


async def nobody_is_left(server: RunningServer) -> None:
    await eventually(lambda: connections(server) == 0)
    await eventually(lambda: server.app[SERVER].sockets.census.total == 0)


@pytest.fixture
async def running(server: StartServer) -> RunningServer:
    settings: dict[str, Any] = {"guests": "shared", "thinking_notice": "…", "text_chars": 20}
    return await server(**settings, queued_replies_per_session=1_000)


@pytest.mark.parametrize("last", CLOSING.values(), ids=CLOSING)
async def test_all_lines_that_came_before_the_end_are_said(
    running: RunningServer, last: int | None
) -> None:
    token = await running.token()
    session_id = await plain_clients.own_session(running, token)
    lines = [*SAID[:30], "too long " * 3, *SAID[30:]]
    async with inattentive(plain_clients.address(running, token=token)) as ada:
        say_and_go(ada, (ws_frame(TEXT, line.encode()) for line in lines), last)
        await nobody_is_left(running)
    assert await said_in(running, session_id) == SAID


@pytest.mark.parametrize("last", CLOSING.values(), ids=CLOSING)
async def test_all_frames_that_came_before_the_end_are_said(
    running: RunningServer, last: int | None
) -> None:
    lines = [*SAID[:30], "too long " * 3, *SAID[30:]]
    async with inattentive(framed.address(running, "ada")) as ada:
        say_and_go(ada, (ws_frame(BINARY, framed.frame(line)) for line in lines), last)
        await nobody_is_left(running)
    assert await said_in(running, LOBBY) == SAID


async def test_what_it_said_last_holds_up_no_drain(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(drain_seconds=0.1)
    stuck = asyncio.Event()

    async def never(*_: object) -> None:
        stuck.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(running.service, "send_message", never)
    async with inattentive(plain_clients.address(running, token=await running.token())) as ada:
        say_and_go(ada, (ws_frame(TEXT, line.encode()) for line in SAID), None)
        async with asyncio.timeout(PATIENCE):
            await stuck.wait()
        await ada.wait_closed()
        assert connections(running) == 1
        await running.app.shutdown()
        await nobody_is_left(running)


@pytest.mark.parametrize("messages", [1, 6], ids=["while we wait", "while we write"])
async def test_who_says_no_more_but_takes_nothing_is_cut_off(
    server: StartServer, messages: int
) -> None:
    running = await server(text_chars=50_000, **QUICK)
    little_is_under_way(running)
    owner, session_id = await a_session(running)
    async with deaf(running, token=await running.token(), session=session_id) as ada:
        await say_much(running, owner, session_id, messages)
        say_and_go(ada, (), None)
        await nobody_is_left(running)
