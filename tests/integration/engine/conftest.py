"""An Engine.IO server that says everything back, and ways to talk to it without any library."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chatserver.addresses import parse_networks
from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.server import EngineServer

WebSocket = aiohttp.ClientWebSocketResponse
FAST = {"ping_interval": 0.3, "ping_timeout": 0.2}


class EchoServer:
    """`ended` holds the reason of each connection's end, by sid."""

    def __init__(self, *, instance: str = "", **limits: Any) -> None:
        self.cut_off: list[str] = []
        self.ended: dict[str, str] = {}
        self.engine = EngineServer(
            limits=EngineLimits(**limits),
            allows_origin=lambda origin, request: origin == "https://friend.example",
            cut_off=self.cut_off.append,
            trusted_proxies=parse_networks(["127.0.0.1"]),
            instance=instance,
        )
        self.engine.on("connect", self._connect)
        self.engine.on("message", self._message)
        self.engine.on("disconnect", self._disconnect)
        self.settles = True
        self.http = aiohttp.ClientSession()
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        self.engine.attach(app, "engine.io")
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.http.close()
        await self.engine.disconnect()
        await self._runner.cleanup()
        await self.engine.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/engine.io/"

    @property
    def live(self) -> int:
        return len(self.engine.sockets)

    # --- polling -------------------------------------------------------------------------------

    def get(self, sid: str = "", **query: str) -> Any:
        return self.http.get(self.url, params=polling(sid) | query)

    async def open(self) -> str:
        """The sid of a new polling session."""
        async with self.get() as answer:
            text = await answer.text()
        assert answer.status == 200
        assert text[0] == "0"
        return str(json.loads(text[1:])["sid"])

    async def poll(self, sid: str, **query: str) -> tuple[int, str]:
        async with self.get(sid, **query) as answer:
            return answer.status, await answer.text()

    async def post(self, sid: str, body: str | bytes) -> tuple[int, str]:
        async with self.http.post(self.url, params=polling(sid), data=body) as answer:
            return answer.status, await answer.text()

    # --- WebSocket -----------------------------------------------------------------------------

    async def websocket(self, sid: str = "", **how: Any) -> WebSocket:
        query = {"EIO": "4", "transport": "websocket"} | ({"sid": sid} if sid else {})
        socket: WebSocket = await self.http.ws_connect(self.url, params=query, **how)
        return socket

    async def opened(self, **how: Any) -> tuple[WebSocket, str]:
        socket = await self.websocket(**how)
        data = await socket.receive_str()
        assert data[0] == "0"
        return socket, json.loads(data[1:])["sid"]

    # --- handlers ------------------------------------------------------------------------------

    async def _connect(self, sid: str, environ: dict[str, Any]) -> None:
        if self.settles:
            self.engine.sessions.settled(sid)

    async def _message(self, sid: str, data: str | bytes) -> None:
        if data == "crash":
            raise RuntimeError(data)
        await self.engine.send(sid, data)

    async def _disconnect(self, sid: str, reason: str) -> None:
        self.ended[sid] = reason


def polling(sid: str) -> dict[str, str]:
    return {"EIO": "4", "transport": "polling"} | ({"sid": sid} if sid else {})


@pytest.fixture
async def echo() -> AsyncIterator[Any]:
    """Starts servers: `await echo(ping_interval=0.3)`."""
    running: list[EchoServer] = []

    async def start(**limits: Any) -> EchoServer:
        running.append(EchoServer(**limits))
        await running[-1].start()
        return running[-1]

    yield start
    for server in running:
        await server.stop()


async def close_code(socket: WebSocket) -> int | None:
    """Waits for the end, and returns its code."""
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while (await socket.receive()).type in (
                aiohttp.WSMsgType.TEXT,
                aiohttp.WSMsgType.BINARY,
            ):
                pass
            return socket.close_code
    raise AssertionError("the connection was not closed")
