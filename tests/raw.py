"""The protocol as `socketio.AsyncClient` speaks it, without any help of our own client."""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

import socketio

from tests.contracts import ContractBroken, EventContract, event_contract
from tests.waiting import PATIENCE, Inbox, eventually

NAMESPACE = "/chat"


class Refused(Exception):
    """A `connect_error`; `data` is what it carried."""

    def __init__(self, data: Any) -> None:
        super().__init__(str(data))
        self.data = data


class RawClient:
    """One Socket.IO connection with an inbox of everything it was told.

    What the server says is held against its contract: `call` and `close` raise `ContractBroken`.
    """

    def __init__(
        self,
        name: str = "somebody",
        *,
        reconnection: bool = False,
        contract: EventContract | None = None,
    ) -> None:
        self.name = name
        self.me: dict[str, Any] = {}
        self.inbox = Inbox(name)
        self.disconnected = asyncio.Event()
        self.sio = socketio.AsyncClient(
            reconnection=reconnection,
            reconnection_delay=0.1,
            reconnection_delay_max=0.5,
            handle_sigint=False,
        )
        self.sio.on("*", self._on_event, namespace=NAMESPACE)
        self.sio.on("disconnect", self._on_disconnect, namespace=NAMESPACE)
        self.sio.on("connect_error", self._on_refusal, namespace=NAMESPACE)
        self._refusal: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._contract = contract or event_contract()
        self._broken: list[ContractBroken] = []

    async def connect(
        self, url: str, auth: Any, *, transports: tuple[str, ...] = ("websocket",)
    ) -> None:
        """Raises `Refused` on a `connect_error`."""
        try:
            await self.sio.connect(
                url,
                auth=auth,
                namespaces=[NAMESPACE],
                transports=list(transports),
                wait_timeout=PATIENCE,
            )
        except socketio.exceptions.ConnectionError:
            if self._refusal.done():
                self._contract.refused(self._refusal.result())
                raise Refused(self._refusal.result()) from None
            raise
        self.me = (await self.inbox.take("welcome"))["participant"]

    async def close(self) -> None:
        if self.sio.connected and self.sio.transport() == "polling":
            # While a request is under way, python-engineio 4.15 does not tell the server, and
            # then waits for the answer to its poll: the next ping, 25 s later.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.sio.eio.queue.join(), PATIENCE)
        await self.sio.shutdown()
        if self._broken:
            raise self._broken[0]

    async def call(self, event: str, payload: Any = None, *, within: float = PATIENCE) -> Any:
        """The whole ack."""
        ack = await self.sio.call(event, payload, namespace=NAMESPACE, timeout=within)
        self._contract.acked(event, ack)
        if ack["ok"]:
            self._contract.asked(event, payload)
        return ack

    async def do(self, event: str, **payload: Any) -> Any:
        """The `data` of the ack of an event that succeeds."""
        ack = await self.call(event, payload)
        assert ack["ok"] is True, (event, ack)
        assert set(ack) == {"ok", "data"}
        return ack["data"]

    async def refused(self, event: str, payload: Any) -> dict[str, Any]:
        """The `error` of the ack of an event that fails."""
        ack = await self.call(event, payload)
        assert ack["ok"] is False, (event, ack)
        assert set(ack) == {"ok", "error"}
        error: dict[str, Any] = ack["error"]
        assert error["message"], error
        assert isinstance(error["retryable"], bool)
        return error

    async def told(self, event: str, **fields: Any) -> Any:
        """Waits for a server event with these fields (and, if `within` is given, so long)."""
        return await self.inbox.take(event, **fields)

    async def caught_up(self) -> None:
        """Returns when everything that was on its way to this client has arrived."""
        await self.do("list_sessions", limit=1)

    async def say(self, session_id: str, text: str, **more: Any) -> dict[str, Any]:
        """Sends a message with an id of its own; returns the acked Event."""
        sent = await self.do(
            "send_message",
            session_id=session_id,
            text=text,
            client_message_id=secrets.token_hex(8),
            **more,
        )
        message: dict[str, Any] = sent["message"]
        return message

    async def lost(self) -> None:
        """Waits for the end of the connection."""
        await asyncio.wait_for(self.disconnected.wait(), PATIENCE)

    async def back(self) -> None:
        """Waits until the library has connected again by itself."""
        await eventually(lambda: NAMESPACE in self.sio.namespaces, within=30, what="reconnected")

    def _on_event(self, name: str, payload: Any = None) -> None:
        try:
            self._contract.told(name, payload)
        except ContractBroken as broken:
            # Nobody waits here: it is told at the end.
            self._broken.append(broken)
        self.inbox.put(name, payload)

    def _on_disconnect(self, *_reason: Any) -> None:
        self.disconnected.set()

    def _on_refusal(self, data: Any = None) -> None:
        if not self._refusal.done():
            self._refusal.set_result(data)
