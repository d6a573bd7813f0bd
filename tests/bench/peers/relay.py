"""The same chat on stock python-socketio, aiohttp and uvloop: a plain relay.

python relay.py

Checks tokens and room membership, numbers the messages of a room, acknowledges with the event and
sends it to the room. With REDIS_URL it is one of several, and takes everybody's word for the rooms
that were made elsewhere.
"""

import asyncio
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import socketio
import uvloop
from aiohttp import web

NAMESPACE = "/chat"
LONGEST = 16_000
REDIS_URL = os.environ.get("REDIS_URL")


class Chat(socketio.AsyncNamespace):  # type: ignore[misc]  # python-socketio is untyped
    def __init__(self) -> None:
        super().__init__(NAMESPACE)
        self.people: dict[str, dict[str, str]] = {}
        self._here: dict[str, dict[str, str]] = {}
        self._members: dict[str, set[str]] = {}
        self._seqs: dict[str, int] = {}

    async def issue_token(self, request: web.Request) -> web.Response:
        token = str(uuid.uuid4())
        name = (await request.json())["name"]
        self.people[token] = {"id": str(uuid.uuid4()), "name": name, "kind": "user"}
        return web.json_response({"token": token}, status=201)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
        participant = self.people.get(auth["token"])
        if participant is None:
            raise socketio.exceptions.ConnectionRefusedError("unauthorized")
        self._here[sid] = participant

    async def on_disconnect(self, sid: str, reason: str) -> None:
        self._here.pop(sid, None)

    async def on_create_session(self, sid: str, payload: dict[str, Any]) -> dict[str, Any]:
        session_id = str(uuid.uuid4())
        self._members[session_id] = {self._here[sid]["id"]}
        self._seqs[session_id] = 0
        await self.enter_room(sid, session_id)
        return {"ok": True, "data": {"session": {"id": session_id}}}

    async def on_join_session(self, sid: str, payload: dict[str, Any]) -> dict[str, Any]:
        members = self._members.get(payload["session_id"])
        if members is None and REDIS_URL:
            members = self._members.setdefault(payload["session_id"], set())
            self._seqs[payload["session_id"]] = 0
        if members is None:
            return refusal("not_found")
        members.add(self._here[sid]["id"])
        await self.enter_room(sid, payload["session_id"])
        return {"ok": True, "data": {}}

    async def on_send_message(self, sid: str, payload: dict[str, Any]) -> dict[str, Any]:
        session_id, text = payload["session_id"], payload["text"]
        sender = self._here[sid]
        if sender["id"] not in self._members.get(session_id, ()):
            return refusal("not_member")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            return refusal("invalid_payload")
        self._seqs[session_id] += 1
        event = {
            "session_id": session_id,
            "seq": self._seqs[session_id],
            "type": "message_created",
            "sender": sender,
            "created_at": datetime.now(UTC).isoformat(),
            "data": {"text": text, "client_message_id": payload["client_message_id"]},
        }
        await self.emit("message_created", event, room=session_id)
        return {"ok": True, "data": {"message": event, "duplicate": False}}


def refusal(code: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": code, "retryable": False}}


async def main() -> None:
    app = web.Application()
    manager = socketio.AsyncRedisManager(REDIS_URL) if REDIS_URL else None
    sockets = socketio.AsyncServer(async_mode="aiohttp", client_manager=manager)
    sockets.attach(app)
    chat = Chat()
    sockets.register_namespace(chat)
    app.router.add_post("/api/v1/tokens", chat.issue_token)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"ready: http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as running:
        running.run(main())
