"""Clients that take nothing, or hardly anything, of what a busy session sends them."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import orjson

from chatserver.client import ChatClient
from chatserver.client.errors import ClientError
from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.target import Target
from chatserver.loadtest.websocket import SMALL_BUFFER, WebSocket
from tests.faults.injected.fault import Expectation, Fault
from tests.waiting import PATIENCE, eventually

READERS = 6
TALKERS = 4
TEXT = "x" * 15_000
SIPS_PER_SECOND = 10


class Reader(WebSocket):
    """A member of a session that speaks no more once it is in."""

    __slots__ = ("_auth", "_join", "in_session", "over")

    def __init__(self, target: Target, token: str, session_id: str) -> None:
        super().__init__(target)
        self._auth = orjson.dumps({"token": token})
        self._join = orjson.dumps(["join_session", {"session_id": session_id}])
        loop = asyncio.get_running_loop()
        self.in_session: asyncio.Future[None] = loop.create_future()
        self.over = False

    async def open(self, target: Target) -> None:
        """Returns once it is in."""
        sock = socket.socket()
        # Before it connects: the window is agreed on then.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (target.address, target.port))
        await loop.create_connection(lambda: self, sock=sock)
        await asyncio.wait_for(self.in_session, PATIENCE)

    def packet(self, data: bytes, start: int, stop: int) -> None:
        packet = data[start:stop]
        if packet.startswith(b"0"):
            self.write(b"40/chat," + self._auth)
        elif packet.startswith(b"40/chat,"):
            self.write(b"42/chat,1" + self._join)
        elif packet.startswith(b"43/chat,1") and not self.in_session.done():
            self.in_session.set_result(None)
        elif packet == b"2":
            self.write(b"3")

    def ended(self, error: LoadError) -> None:
        self.over = True

    def resume_reading(self) -> None:
        if self._transport is not None and not self.over:
            self._transport.resume_reading()


class ZeroWindow(Fault):
    """Members whose window is shut, in a session where others go on talking."""

    name = "zero-window-clients"
    lasts = 10.0
    expected = Expectation(recovers=2.0)
    _cut_off = 0

    async def ready(self) -> None:
        self._talker = ChatClient(self.scene.url, name="Talker")
        await self._talker.__aenter__()
        self._session = await self._talker.create_session(visibility="link", bot=None)
        target = Target.parse(self.scene.url)
        self._readers = []
        for _ in range(READERS):
            reader = Reader(target, await self._guest(), self._session.id)
            await reader.open(target)
            self._readers.append(reader)

    async def inject(self) -> None:
        for reader in self._readers:
            reader.pause_reading()
        self._talking = [asyncio.create_task(self._talk()) for _ in range(TALKERS)]

    async def heal(self) -> None:
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        # They find out that they were cut off once they read what was on its way.
        for reader in self._readers:
            reader.resume_reading()
        with suppress(AssertionError):
            await eventually(lambda: all(reader.over for reader in self._readers))
        self._cut_off = sum(reader.over for reader in self._readers)
        for reader in self._readers:
            reader.close()
        await self._talker.close()

    async def evidence(self) -> str:
        return f"{self._cut_off} of {READERS} cut off" if self._cut_off else ""

    async def _guest(self) -> str:
        return await self.scene.instances[0].token("Guest")

    async def _talk(self) -> None:
        while True:
            with suppress(ClientError):
                await self._session.send(TEXT)


class SlowClients(ZeroWindow):
    """They take a few kilobytes a second."""

    name = "slow-clients"
    _sipping: "asyncio.Task[Any]"

    async def inject(self) -> None:
        await super().inject()
        self._sipping = asyncio.create_task(self._sip())

    async def heal(self) -> None:
        self._sipping.cancel()
        await asyncio.gather(self._sipping, return_exceptions=True)
        await super().heal()

    async def _sip(self) -> None:
        while True:
            for reader in self._readers:
                reader.resume_reading()
            await asyncio.sleep(0)
            for reader in self._readers:
                if not reader.over:
                    reader.pause_reading()
            await asyncio.sleep(1 / SIPS_PER_SECOND)
