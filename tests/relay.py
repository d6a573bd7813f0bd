"""A double of the chat server that relays exactly, and misbehaves exactly as it is told."""

import asyncio
import json
import re
from typing import Any

from aiohttp import WSMsgType, web


class Relay:
    """Answers at `url` between `start` and `stop`. Everybody connected is in one room.

    Before message number `stall_at` it does nothing at all for `stall_seconds`; the messages in
    `refused` get that error; those in `dropped` are acknowledged and reach nobody.
    """

    def __init__(self) -> None:
        self.url = ""
        self.messages = 0
        self.stall_at = -1
        self.stall_seconds = 0.0
        self.refused: dict[int, dict[str, Any]] = {}
        self.dropped: set[int] = set()
        self.silent = False
        self.refuse_connect: dict[str, Any] | None = None
        self._sockets: list[web.WebSocketResponse] = []
        self._turn = asyncio.Lock()
        app = web.Application()
        app.router.add_post("/api/v1/tokens", self._token)
        app.router.add_get("/socket.io/", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        for socket in self._sockets:
            await socket.close()
        await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"token": "anybody's"}, status=201)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                async with self._turn:
                    await self._answer(socket, message.data)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, packet: str) -> None:
        if packet.startswith("40/chat,"):
            if self.refuse_connect is not None:
                refusal = {"message": "no", "data": self.refuse_connect}
                await socket.send_str(f"44/chat,{json.dumps(refusal)}")
                return
            self._sockets.append(socket)
            await socket.send_str('40/chat,{"sid":"y"}')
            return
        found = re.fullmatch(r"42/chat,(\d+)(.*)", packet, re.S)
        if found is None:
            return
        name, payload = json.loads(found[2])
        data: dict[str, Any] = {"session": {"id": "room"}}
        if name == "send_message":
            if self.silent:
                return
            answer = await self._relay(payload)
        else:
            answer = {"ok": True, "data": data}
        await socket.send_str(f"43/chat,{found[1]}{json.dumps([answer], separators=(',', ':'))}")

    async def _relay(self, payload: dict[str, Any]) -> dict[str, Any]:
        number, self.messages = self.messages, self.messages + 1
        if number == self.stall_at:
            await asyncio.sleep(self.stall_seconds)
        if number in self.refused:
            return {"ok": False, "error": self.refused[number]}
        event = {"session_id": "room", "seq": number + 1, "data": payload}
        body = json.dumps(["message_created", event], separators=(",", ":"))
        if number not in self.dropped:
            for each in self._sockets:
                await each.send_str(f"42/chat,{body}")
        return {"ok": True, "data": {"message": event, "duplicate": False}}
