"""A client as Rasa's web widgets are: no token, the namespace `/`, and their four events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio

from tests.servers import Reachable
from tests.waiting import PATIENCE, Inbox, eventually


class RasaClient:
    """One connection, with everything that it was told."""

    def __init__(self) -> None:
        self.inbox = Inbox("the widget")
        self.sio = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.sio.on("*", self.inbox.put)
        self.id = ""

    async def connect(self, url: str, transport: str = "websocket") -> None:
        await self.sio.connect(url, transports=[transport], wait_timeout=PATIENCE)

    async def request(self, session_id: Any = None) -> str:
        """The id that the server confirms."""
        await self.sio.emit("session_request", {"session_id": session_id})
        self.id = await self.confirmed()
        return self.id

    async def confirmed(self) -> str:
        confirmed = await self.inbox.take("session_confirm")
        assert isinstance(confirmed, str)
        return confirmed

    async def utter(self, message: Any, *, session_id: Any = ..., **more: Any) -> None:
        """With the confirmed id, unless another is given."""
        known = self.id if session_id is ... else session_id
        payload = {"message": message, "customData": {"language": "en"}, "session_id": known}
        await self.sio.emit("user_uttered", payload | more)

    async def hears(self, text: str) -> None:
        """Waits for a `bot_uttered` that is exactly that text."""
        said = await self.inbox.take("bot_uttered", text=text)
        assert said == {"text": text}

    async def asks(self, text: str) -> None:
        """Says something that the echo bot repeats."""
        await self.utter(text)
        await self.hears(text)

    @property
    def heard(self) -> list[str]:
        """Every text so far."""
        return [said["text"] for said in self.inbox.all("bot_uttered")]

    async def close(self) -> None:
        await self.sio.shutdown()


Widget = Callable[..., Awaitable[RasaClient]]


@asynccontextmanager
async def rasa_clients() -> AsyncIterator[Widget]:
    """`await widget(server)` is connected; all are closed in the end."""
    clients: list[RasaClient] = []

    async def start(server: Reachable, transport: str = "websocket") -> RasaClient:
        clients.append(RasaClient())
        await clients[-1].connect(server.url, transport)
        return clients[-1]

    yield start
    await asyncio.gather(*[client.close() for client in clients])


async def said_in(server: Reachable, session_id: str, *, count: int) -> list[str]:
    """The texts of a Rasa session's log, as soon as there are so many."""

    async def texts() -> list[str]:
        found = await server.rest("GET", "/api/v1/sessions", token=session_id)
        path = f"/api/v1/sessions/{found['sessions'][0]['id']}/events"
        events = (await server.rest("GET", path, token=session_id))["events"]
        return [event["data"]["text"] for event in events if event["type"] == "message_created"]

    await eventually(lambda: _reaches(texts, count), what=f"{count} messages")
    return await texts()


async def _reaches(texts: Callable[[], Awaitable[list[str]]], count: int) -> bool:
    return len(await texts()) >= count
