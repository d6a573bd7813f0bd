"""A client of the framed door, written from its description alone."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatserver.chat.models import EventType
from chatserver.chat.rooms import HOUSE, LOBBY
from tests.servers import RunningServer
from tests.waiting import PATIENCE


def frame(text: str) -> bytes:
    payload = text.encode()
    return struct.pack("<I", len(payload)) + payload


class FramedClient:
    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws

    async def say(self, text: str) -> None:
        await self._ws.send(frame(text))

    async def say_again_and_again(self, text: str) -> None:
        while True:
            await self.say(text)

    async def send(self, raw: bytes | str) -> None:
        await self._ws.send(raw)

    async def hears(self) -> str:
        async with asyncio.timeout(PATIENCE):
            received = await self._ws.recv()
        assert isinstance(received, bytes)
        (length,) = struct.unpack_from("<I", received)
        assert length == len(received) - 4
        return received[4:].decode()

    async def hears_all(self, count: int) -> list[str]:
        return [await self.hears() for _ in range(count)]

    async def hears_until(self, last: str) -> list[str]:
        """What comes before it."""
        heard = []
        while (line := await self.hears()) != last:
            heard.append(line)
        return heard

    async def is_closed(self) -> tuple[int, str]:
        """The server's close code and reason."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                async for _ in self._ws:
                    pass
        code, reason = self._ws.close_code, self._ws.close_reason
        assert code is not None
        return code, reason or ""

    async def close(self) -> None:
        await self._ws.close()

    def abort(self) -> None:
        """The line is cut, without a close frame."""
        self._ws.transport.abort()

    def fall_silent(self) -> None:
        """The line is there, and nobody listens."""
        self._ws.transport.pause_reading()


def address(server: RunningServer, client_id: str, **query: str) -> str:
    words = f"?{urlencode(query)}" if query else ""
    return f"ws{server.url.removeprefix('http')}/ws/{quote(client_id, safe='')}{words}"


@asynccontextmanager
async def framed(
    server: RunningServer, client_id: str, *, how: dict[str, Any] | None = None, **query: str
) -> AsyncIterator[FramedClient]:
    # What a test does not read is kept, so that the client sees a close frame behind it.
    unread: dict[str, Any] = {"max_queue": None}
    async with connect(address(server, client_id, **query), **unread, **(how or {})) as ws:
        yield FramedClient(ws)


async def refused(
    server: RunningServer, client_id: str, *, how: dict[str, Any] | None = None, **query: str
) -> int:
    """The HTTP status of a handshake that does not succeed."""
    with pytest.raises(InvalidStatus) as refusal:
        async with framed(server, client_id, how=how, **query):
            pass
    return refusal.value.response.status_code


async def said(server: RunningServer) -> list[str]:
    """The texts in the lobby's log."""
    log = await server.service.store.read(lambda tx: tx.log.after(LOBBY, 0, 1000))
    return [e.data["text"] for e in log if e.type is EventType.MESSAGE_CREATED]


async def guests(server: RunningServer) -> set[str]:
    """The people who are members of the lobby, online or not."""
    members = await server.service.members(HOUSE, LOBBY)
    return {m.participant.name for m in members} - {HOUSE.name, "echo"}


async def is_free(server: RunningServer, name: str) -> bool:
    members = await server.service.members(HOUSE, LOBBY)
    return not any(m.online and m.participant.name == name for m in members)


async def is_empty(server: RunningServer) -> bool:
    return not await guests(server)
