"""Clients of `/chat` that take nothing more, or send without end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType
from websockets.asyncio.client import ClientConnection, connect

from chatserver.app import SERVER
from chatserver.chat.commands import CreateSession, SendMessage
from chatserver.chat.models import Visibility
from chatserver.gateways import sockets, talk
from chatserver.gateways.sockets import DoorSocket
from tests.integration.doors.plain_clients import address, who
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually

QUICK: dict[str, Any] = {"ping_interval_seconds": 0.2, "ping_timeout_seconds": 0.3}


def little_is_under_way(server: RunningServer) -> None:
    """Between the two kernels, so that little must be said."""
    for site in server._runner.sites:
        assert isinstance(site._server, asyncio.Server)
        for listening in site._server.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@asynccontextmanager
async def deaf(server: RunningServer, **query: str) -> AsyncIterator[ClientConnection]:
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(server.address)
        client = await connect(address(server, **query), sock=line)
        client.transport.pause_reading()
        try:
            yield client
        finally:
            client.transport.abort()


def connections(server: RunningServer) -> int:
    """Those that hold a file, counted or not."""
    assert server._runner.server is not None
    return len(server._runner.server.connections)


async def say_much(server: RunningServer, token: str, session_id: str, messages: int = 6) -> None:
    """Six are more than waits anywhere before writing blocks, and too little to be cut off for."""
    me = await who(server, token)
    for number in range(messages):
        message = SendMessage(
            session_id=session_id, text="x" * 50_000, client_message_id=str(number)
        )
        await server.service.send_message(me, message)


async def a_session(server: RunningServer) -> tuple[str, str]:
    token = await server.token("Owner")
    command = CreateSession(visibility=Visibility.PUBLIC, bot=None)
    created = await server.service.create_session(await who(server, token), command)
    return token, created.session.id


async def test_who_neither_reads_nor_answers_pings_leaves_nothing_behind(
    server: StartServer,
) -> None:
    running = await server(text_chars=50_000, **QUICK)
    little_is_under_way(running)
    owner, session_id = await a_session(running)
    async with deaf(running, token=await running.token(), session=session_id):
        await say_much(running, owner, session_id)
        await eventually(lambda: connections(running) == 0)
        assert running.app[SERVER].sockets.census.total == 0


async def test_who_sends_but_reads_no_refusals_is_cut_off(server: StartServer) -> None:
    running = await server(**QUICK)
    little_is_under_way(running)
    async with deaf(running, token=await running.token()) as client:
        for _ in range(5_000):
            await client.send("\x00")
        await eventually(lambda: connections(running) == 0)


async def test_the_end_of_a_token_does_not_wait_for_who_does_not_read(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PARTING_SECONDS", 0.1)
    running = await server(text_chars=50_000)
    little_is_under_way(running)
    owner, session_id = await a_session(running)
    token = await running.token()
    async with deaf(running, token=token, session=session_id):
        await say_much(running, owner, session_id)
        await running.service.revoke_token(token)
        await eventually(lambda: connections(running) == 0)


async def test_a_client_whose_messages_lie_ready_gives_way() -> None:
    class Ready(DoorSocket):
        left = 10 * talk.TURN_MESSAGES

        async def receive(self, *_: object) -> WSMessage:
            self.left -= 1
            return WSMessage(WSMsgType.TEXT if self.left else WSMsgType.CLOSED, "", None)

    async def take(_: WSMessage) -> None:
        pass

    async def count_turns() -> None:
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    turns: list[None] = []
    ws = Ready(message_bytes=1, ping_seconds=1, silence_seconds=1)
    others = asyncio.create_task(count_turns())
    await talk._read(ws, take, None)
    others.cancel()
    assert len(turns) >= 9
