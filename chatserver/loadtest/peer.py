"""One client of the chat: Engine.IO and Socket.IO packets, reduced to what a load needs."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.tally import Tally
from chatserver.loadtest.target import Target
from chatserver.loadtest.websocket import WebSocket

MESSAGE = b'42/chat,["message_created"'
ACK = b"43/chat,"
CONNECTED = b"40/chat,"
REFUSED = b"44/chat,"
CALL_SECONDS = 60.0

Answered = Callable[["Peer", dict[str, Any] | None], None]
"""Called with each answer to a message: None for success, otherwise the error."""


def _ignored(peer: "Peer", error: dict[str, Any] | None) -> None:
    """Nobody waits for answers."""


class Peer(WebSocket):
    """A client that counts into `tally`, which may be exchanged between loads."""

    __slots__ = ("_calls", "_next", "_ready", "_sent", "_token", "answered", "tally")

    def __init__(self, target: Target, token: str, tally: Tally, *, deflate: bool = False) -> None:
        super().__init__(target, deflate=deflate)
        self.tally = tally
        self.answered: Answered = _ignored
        self._token = token
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next = 0
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._sent: dict[int, int] = {}

    @classmethod
    async def connect(
        cls, target: Target, token: str, tally: Tally, *, deflate: bool = False
    ) -> Self:
        """A connection that is authenticated in the namespace.

        Raises `LoadError` with the server's code where it is refused, `connection_lost` where it is
        closed, `unreachable` where nobody answers.
        """
        loop = asyncio.get_running_loop()
        peer = cls(target, token, tally, deflate=deflate)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await loop.create_connection(
                    lambda: peer,
                    target.address,
                    target.port,
                    ssl=True if target.secure else None,
                    server_hostname=target.name if target.secure else None,
                )
                await peer._ready
        except (OSError, TimeoutError) as error:
            peer.close()
            raise LoadError("unreachable", f"{target.base} does not answer: {error}") from error
        return peer

    async def call(self, event: str, payload: dict[str, object]) -> dict[str, Any]:
        """The data of the ack. Raises `LoadError` with the server's code."""
        if self.lost:
            raise LoadError("connection_lost", "the connection is closed")
        number, self._next = self._next, self._next + 1
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        self.write(f"42/chat,{number}{json.dumps([event, payload])}".encode())
        try:
            async with asyncio.timeout(CALL_SECONDS):
                ack = await future
        except TimeoutError:
            raise LoadError("unreachable", f"no answer to {event} in {CALL_SECONDS} s") from None
        if not ack["ok"]:
            raise LoadError(ack["error"]["code"], ack["error"]["message"])
        data: dict[str, Any] = ack["data"]
        return data

    def send_message(self, session_id: bytes, intended: int, size: int) -> None:
        """Sends a message that should have left at `intended`; `answered` hears of its ack."""
        self.tally.outstanding += 1
        if self.lost:
            self.tally.refused("connection_lost")
            return
        number, self._next = self._next, self._next + 1
        self._sent[number] = intended
        self.write(
            b'42/chat,%d["send_message",{"session_id":"%b","text":"%b","client_message_id":"%d-%d"}]'
            % (number, session_id, self.tally.text(intended, size), intended, number)
        )

    def wait_for_answers(self, answered: Answered | None) -> None:
        """`answered` hears of every further answer; None: nobody does."""
        self.answered = answered or _ignored

    def packet(self, data: bytes, start: int, stop: int) -> None:
        if data.startswith(MESSAGE, start):
            self.tally.delivered(data, start, stop)
        elif data.startswith(ACK, start):
            self._read_ack(data, start + len(ACK), stop)
        elif data[start:stop] == b"2":
            self.write(b"3")
        elif data.startswith(b"0", start):
            self.write(f"40/chat,{json.dumps({'token': self._token})}".encode())
        elif data.startswith(CONNECTED, start):
            if not self._ready.done():
                self._ready.set_result(None)
        elif data.startswith(REFUSED, start):
            refusal = json.loads(data[start + len(REFUSED) : stop])
            code = (refusal.get("data") or {}).get("code", "refused")
            self._not_ready(LoadError(code, str(refusal.get("message"))))
            self.close()

    def ended(self, error: LoadError) -> None:
        self._not_ready(error)
        for future in self._calls.values():
            if not future.done():
                future.set_exception(error)
        sent, self._sent = self._sent, {}
        for _ in sent:
            self.tally.refused(error.code)
            self.answered(self, {"code": error.code})

    def _read_ack(self, data: bytes, start: int, stop: int) -> None:
        body = data.index(b"[", start, stop)
        number = int(data[start:body])
        intended = self._sent.pop(number, None)
        if intended is None:
            future = self._calls.pop(number, None)
            if future is not None and not future.done():
                future.set_result(json.loads(data[body:stop])[0])
            return
        error = None
        # Nearly all: not worth reading the JSON.
        if not data.startswith(b'[{"ok":true', body):
            error = json.loads(data[body:stop])[0].get("error")
        if error is None:
            self.tally.acked(intended)
        else:
            self.tally.refused(error["code"])
        self.answered(self, error)

    def _not_ready(self, error: LoadError) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
