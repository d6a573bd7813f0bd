"""One connection: from its handshake to its end. Reconnecting is somebody else's business."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import socketio

from chatserver.chat.events import Welcome
from chatserver.client.codec import OrjsonPacket
from chatserver.client.errors import ConnectionLost, NotConnected, refusal
from chatserver.client.opener import Opener

NAMESPACE = "/chat"
CONNECT_SECONDS = 10.0

OnEvent = Callable[[str, Any], None]


class Connection:
    """A WebSocket in the namespace `/chat`. Made by `open`, used once."""

    def __init__(self, http: aiohttp.ClientSession, on_event: OnEvent) -> None:
        self._opener = Opener(http)
        self._sio = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            http_session=self._opener,
            serializer=OrjsonPacket,
        )
        loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] = loop.create_future()
        self._end: asyncio.Future[None] = loop.create_future()
        self._watch: asyncio.Task[None] | None = None
        # Handlers are plain functions: a coroutine could be overtaken by the next event's.
        self._on_event = on_event
        self._sio.on("*", self._heard, namespace=NAMESPACE)
        self._sio.on("connect_error", self._refused, namespace=NAMESPACE)

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, token: str, on_event: OnEvent
    ) -> "Connection":
        """Returns once welcomed.

        Raises a `ChatError` where the server refuses, `NotConnected` where there is none.
        """
        connection = cls(http, on_event)
        try:
            # Not wait_for: that loses a cancelling that comes as the attempt ends (Python 3.11).
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection._open(url, token)
        except TimeoutError:
            await connection.close()
            raise NotConnected(f"no answer from {url} within {CONNECT_SECONDS:g} s") from None
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _open(self, url: str, token: str) -> None:
        try:
            await self._sio.connect(
                url,
                auth={"token": token},
                namespaces=[NAMESPACE],
                transports=["websocket"],
                wait=False,
            )
        except socketio.exceptions.ConnectionError as error:
            if self._answer.done():
                self._answer.result()
            raise NotConnected(f"cannot reach {url}: {error}") from error
        except Exception as error:
            # The package does not check what it takes for an opening, so what it stumbles over may
            # be anything: TypeError after a close frame, ValueError after a text, and so on.
            stumbled = type(error).__name__
            raise NotConnected(f"no chat server answers at {url} ({stumbled})") from error
        self._watch = asyncio.create_task(self._watch_end())
        await asyncio.wait([self._answer, self._end], return_when=asyncio.FIRST_COMPLETED)
        if not self._answer.done():
            raise NotConnected(f"{url} closed the connection")
        self._answer.result()

    @property
    def ended(self) -> bool:
        return self._end.done()

    async def wait_ended(self) -> None:
        await asyncio.shield(self._end)

    async def call(self, event: str, payload: dict[str, Any], within: float) -> Any:
        """The `data` of the ack.

        Raises the `ChatError` of the ack, `ConnectionLost`, or TimeoutError. After the last two it
        is unknown whether the event took effect.
        """
        if self.ended:
            raise NotConnected("not connected")
        ack: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(*args: Any) -> None:
            if not ack.done():
                ack.set_result(args[0] if args else None)

        try:
            await self._sio.emit(event, payload, namespace=NAMESPACE, callback=answered)
        except socketio.exceptions.SocketIOError as error:
            raise NotConnected(str(error)) from error
        await asyncio.wait([ack, self._end], timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if not ack.done():
            if self.ended:
                raise ConnectionLost(f"the connection ended before {event} was acknowledged")
            raise TimeoutError(f"{event} was not acknowledged within {within:g} s")
        answer = ack.result()
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise refusal(answer.get("error") if isinstance(answer, dict) else answer)
        return answer.get("data")

    async def close(self) -> None:
        """Ends it from this side. Safe to repeat."""
        await self._sio.disconnect()
        if self._watch is not None:
            await self._watch
        await self._opener.close()
        self._finish()
        if self._answer.done() and not self._answer.cancelled():
            self._answer.exception()

    async def _watch_end(self) -> None:
        # The Engine.IO loop ends in every case: closed by either side, broken, or timed out.
        await self._sio.eio.wait()
        self._finish()

    def _finish(self) -> None:
        if not self._end.done():
            self._end.set_result(None)

    def _heard(self, name: str, payload: Any = None) -> None:
        self._on_event(name, payload)
        if name == Welcome.name and not self._answer.done():
            self._answer.set_result(None)

    def _refused(self, data: Any = None) -> None:
        # The package reports an unreachable server through the same handler, as plain text.
        if isinstance(data, dict) and not self._answer.done():
            error = data.get("data", data) if "code" not in data else data
            self._answer.set_exception(refusal(error))
