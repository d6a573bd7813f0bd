"""A server of the framed door that knows nothing of ours: made from its description alone."""

import asyncio
import struct
from http import HTTPStatus
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.waiting import PATIENCE


class FramedRoom:
    """One room at `/ws/NAME`, with notices. May be ended and started again on its port."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.present: dict[str, ServerConnection] = {}
        self.refuses: HTTPStatus | None = None
        self._server: Server | None = None
        self._port = 0
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def start(self) -> None:
        self._server = await serve(self._talk, "127.0.0.1", self._port, process_request=self._admit)
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def end(self) -> None:
        """As if killed: nobody is told, and what was on its way is lost."""
        assert self._server is not None
        for connection in self.present.values():
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    def uri(self, name: str = "") -> str:
        return f"ws://127.0.0.1:{self._port}/ws/{name}"

    async def until(self, *names: str) -> None:
        """These are here, and nobody else."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: set(self.present) == set(names))

    async def heard(self, count: int) -> list[tuple[str, str]]:
        """All that was said, once it is so much."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.said) >= count)
        return self.said

    async def say(self, sender: str, text: str) -> None:
        """To everybody who is here, the sender excepted."""
        for name, connection in list(self.present.items()):
            if name != sender:
                await self.send(connection, f"{sender}: {text}".encode())

    async def send(self, connection: ServerConnection, payload: bytes) -> None:
        await connection.send(struct.pack("<I", len(payload)) + payload)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuses is not None:
            return connection.respond(self.refuses, "no\n")
        if request.path.removeprefix("/ws/") in self.present:
            return connection.respond(HTTPStatus.FORBIDDEN, "taken\n")
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        name = connection.request.path.removeprefix("/ws/")
        self.present[name] = connection
        await self.say("Server", f"Client {name} joined the chat")
        await self._tell()
        try:
            async for frame in connection:
                assert isinstance(frame, bytes)
                (length,) = struct.unpack_from("<I", frame)
                assert length == len(frame) - 4
                text = frame[4:].decode()
                self.said.append((name, text))
                await self.say(name, text)
                await self._tell()
        except ConnectionClosed:
            pass
        finally:
            del self.present[name]
            await self._tell()
        await self.say("Server", f"Client {name} left the chat")

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
