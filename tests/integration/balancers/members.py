"""People who send, and hear everything, whatever happens to the connection between."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import cycle

import aiohttp
import socketio

from chatserver.chat.models import Event
from chatserver.client.wire import read
from tests.integration.balancers.ledger import Ledger
from tests.raw import RawClient, Refused
from tests.servers import Reachable
from tests.waiting import PATIENCE


class Member:
    """Comes back at once whenever a connection ends, and joins again from what it heard.

    Each connection is a new client: the polling one of python-engineio shares what it waits with
    between two, and may wait on the wrong side of a fast reconnect.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.session_id = ""
        self.again: Counter[str] = Counter()
        """Why messages were sent again."""
        self.refused: list[str] = []
        """Attempts to connect that failed."""
        self._clients: list[RawClient] = []
        self._joined: list[int] = []
        self._url = self._token = self._transport = ""

    @property
    def client(self) -> RawClient:
        """The newest."""
        return self._clients[-1]

    @property
    def connects(self) -> int:
        return len(self._clients)

    @property
    def heard(self) -> list[int]:
        """The seq of every message that it was told, live or when it joined; sorted."""
        live = [p["seq"] for each in self._clients for p in each.inbox.all("message_created")]
        return sorted(self._joined + live)

    async def connect(self, url: str, token: str, transport: str) -> None:
        self._url, self._token, self._transport = url, token, transport
        client = RawClient(self.name)
        await client.connect(url, {"token": token}, transports=(transport,))
        self._clients.append(client)

    async def join(self, session_id: str) -> None:
        self.session_id = session_id
        after = max(self.heard, default=0)
        joined = await self.client.do("join_session", session_id=session_id, after_seq=after)
        assert joined["complete"], "so long it was not away"
        self._joined += [e["seq"] for e in joined["events"] if e["type"] == "message_created"]

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    async def send(self, ledger: Ledger, stop: asyncio.Event) -> None:
        """One message after the other, each until it is acked."""
        number = 0
        while not stop.is_set():
            number += 1
            message = {
                "session_id": self.session_id,
                "text": f"message {number}",
                "client_message_id": secrets.token_hex(8),
            }
            while (stored := await self._sent(message)) is None:
                await self.client.lost()
                await self._come_back()
            ledger.record(stored)

    async def _sent(self, message: dict[str, str]) -> Event | None:
        """None where the connection ended, or will."""
        lost = asyncio.create_task(self.client.disconnected.wait())
        call = asyncio.create_task(self.client.call("send_message", message))
        await asyncio.wait([lost, call], return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        try:
            ack = call.result() if call.done() else None
        except socketio.exceptions.SocketIOError:  # not connected any more
            ack = None
        call.cancel()
        if ack is None:
            self.again["lost"] += 1
            return None
        if not ack["ok"]:
            assert ack["error"]["code"] == "draining", ack
            self.again["draining"] += 1
            return None
        return read(Event, ack["data"]["message"])

    async def _come_back(self) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                await self.connect(self._url, self._token, self._transport)
                await self.join(self.session_id)
                return
            except (Refused, socketio.exceptions.SocketIOError, AssertionError) as failure:
                self.refused.append(repr(failure))
                if asyncio.get_running_loop().time() > deadline:
                    raise


class RestSender:
    """Posts over connections that stay open, as programs do; expects that each succeeds."""

    def __init__(self, url: str, token: str, session_id: str) -> None:
        self._url = f"{url}/api/v1/sessions/{session_id}/messages"
        self._headers = {"Authorization": f"Bearer {token}"}
        self.count = 0

    async def send(self, ledger: Ledger, stop: asyncio.Event) -> None:
        async with aiohttp.ClientSession(headers=self._headers) as http:
            while not stop.is_set():
                self.count += 1
                body = {"text": f"posted {self.count}", "client_message_id": secrets.token_hex(8)}
                async with http.post(self._url, json=body) as answer:
                    assert answer.status == 201, (answer.status, await answer.text())
                    ledger.record(read(Event, (await answer.json())["message"]))


async def gather(
    members: Sequence[Member], server: Reachable, transports: Iterable[str] = ("websocket",)
) -> str:
    """The id of a new session that all are in; they take turns with the transports."""
    for member, transport in zip(members, cycle(transports), strict=False):
        await member.connect(server.url, await server.token(member.name), transport)
    settings = {"bot": None, "visibility": "link"}
    session_id: str = (await members[0].client.do("create_session", **settings))["session"]["id"]
    for member in members:
        await member.join(session_id)
    return session_id


async def still_sending(
    senders: Sequence[asyncio.Task[None]], ledger: Ledger, more: int, within: float = 30.0
) -> None:
    """Waits for so many more acks; fails at once where a sender fails."""
    reaching = asyncio.create_task(ledger.reaches(ledger.count + more))
    await asyncio.wait([reaching, *senders], timeout=within, return_when=asyncio.FIRST_COMPLETED)
    for sender in senders:
        if sender.done():
            sender.result()
    assert reaching.done(), "nothing is acknowledged any more"
