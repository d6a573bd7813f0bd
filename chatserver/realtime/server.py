"""python-socketio's server with our limits, our WebSocket and a way to drain."""

import asyncio
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web
from engineio.async_drivers import aiohttp as aiohttp_driver
from engineio.packet import NOOP
from engineio.packet import Packet as EnginePacket

from chatserver.addresses import client_address
from chatserver.observability.metrics import Metrics
from chatserver.realtime.codec import Codec
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.manager import NAMESPACE, RoomManager, TextPacket

log = structlog.get_logger(__name__)

SERVICE_RESTART = 1012
"""The WebSocket close code after which Socket.IO clients come back by themselves."""
REFUSED_LINGER_SECONDS = 1.0
CLOSE_SECONDS = 2.0
"""How long a client may take to answer that the connection is closed."""


class ChatSocketServer(socketio.AsyncServer):  # type: ignore[misc]  # python-socketio is untyped
    """Counts connections, closes those that do not authenticate, cuts off slow ones."""

    def __init__(
        self,
        *,
        limits: ConnectionLimits,
        allowed_origins: tuple[str, ...],
        trusted_proxies: tuple[IPv4Network | IPv6Network, ...],
        metrics: Metrics,
    ) -> None:
        self._limits = limits
        self._trusted_proxies = trusted_proxies
        self._metrics = metrics
        self._by_address: Counter[str] = Counter()
        self._addresses: dict[str, str] = {}
        self._deadlines: dict[str, asyncio.TimerHandle] = {}
        self._websockets: set[web.WebSocketResponse] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self.connected: Callable[[str], None] = lambda sid: None
        """Called with the sid of each connection right after its CONNECT was answered."""
        super().__init__(
            client_manager=RoomManager(limits.send_queue_packets, self.cut_off),
            serializer=TextPacket,
            json=Codec(limits.json_depth),
            async_mode="aiohttp",
            async_handlers=True,
            cors_allowed_origins=lambda origin, environ: (
                origin in allowed_origins or same_origin(origin, environ["aiohttp.request"].host)
            ),
            max_http_buffer_size=limits.frame_bytes,
            ping_interval=limits.ping_interval,
            ping_timeout=limits.ping_timeout,
        )
        self.eio._async = {
            **self.eio._async,
            "websocket": plain_websocket(limits.frame_bytes, self._websockets),
        }

    @property
    def rooms_manager(self) -> RoomManager:
        manager = self.manager
        assert isinstance(manager, RoomManager)
        return manager

    def too_many(self, engine_id: str) -> bool:
        """Whether this connection is one more than its address, or the process, may have."""
        address = self._addresses.get(engine_id, "")
        return (
            len(self._addresses) > self._limits.connections
            or self._by_address[address] > self._limits.per_address
        )

    def authenticated(self, engine_id: str) -> None:
        """The connection may stay."""
        deadline = self._deadlines.pop(engine_id, None)
        if deadline is not None:
            deadline.cancel()

    def cut_off(self, engine_id: str) -> None:
        """A slow consumer: frees what it holds at once; it will recover by seq."""
        socket = self.eio.sockets.get(engine_id)
        if socket is None or socket.closing or socket.closed:
            return
        self._metrics.cut_off.inc()
        log.warning("slow_consumer_cut_off", connection=engine_id)
        self._close_soon(engine_id)

    async def close_all(self) -> None:
        """Closes every connection so that its client comes back to another instance by itself."""
        closing = [
            websocket.close(code=SERVICE_RESTART, message=b"restart")
            for websocket in list(self._websockets)
        ]
        await asyncio.gather(*closing, return_exceptions=True)
        for engine_id in list(self.eio.sockets):
            await self._close(engine_id)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> bool | None:
        request: web.Request = environ["aiohttp.request"]
        address = client_address(
            request.remote, request.headers.get("X-Forwarded-For"), self._trusted_proxies
        )
        # Some room above the limit, so that whoever exceeds it can be told so in words.
        if self._by_address[address] >= 2 * self._limits.per_address:
            self._metrics.refused.labels("too_many_connections").inc()
            return False
        self._addresses[eio_sid] = address
        self._by_address[address] += 1
        self._deadlines[eio_sid] = asyncio.get_running_loop().call_later(
            self._limits.authenticate_seconds, self._close_soon, eio_sid
        )
        await super()._handle_eio_connect(eio_sid, environ)
        return None

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str | None) -> None:
        self.authenticated(eio_sid)
        address = self._addresses.pop(eio_sid, None)
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            # Answers a poll that is still open; the stock server lets it wait for the ping timeout.
            socket.queue.put_nowait(EnginePacket(NOOP))
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        if sid is not None and self.manager.is_connected(sid, NAMESPACE):
            self.connected(sid)
        elif eio_sid in self._deadlines:
            # Refused. Leave the client a moment to read why, then free what it holds.
            self.authenticated(eio_sid)
            self._deadlines[eio_sid] = asyncio.get_running_loop().call_later(
                REFUSED_LINGER_SECONDS, self._close_soon, eio_sid
            )

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, IndexError, KeyError, RecursionError) as failure:
            # Not a Socket.IO packet. Nothing that follows on this connection can be trusted.
            log.info("bad_packet", connection=eio_sid, error=type(failure).__name__)
            self._close_soon(eio_sid)

    def _close_soon(self, engine_id: str) -> None:
        task = asyncio.create_task(self._close(engine_id))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, engine_id: str) -> None:
        socket = self.eio.sockets.get(engine_id)
        if socket is None:
            return
        await socket.close(wait=False, abort=True, reason=self.reason.SERVER_DISCONNECT)
        while not socket.queue.empty():
            socket.queue.get_nowait()
        socket.queue.put_nowait(None)  # ends its writer
        self.eio.sockets.pop(engine_id, None)


def plain_websocket(max_frame: int, opened: set[web.WebSocketResponse]) -> type:
    """The driver's WebSocket without a compression context: 33 KB to a connection, not 249.

    `opened` always holds those that are open.
    """

    class PlainWebSocket(aiohttp_driver.WebSocket):  # type: ignore[misc]  # untyped
        async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
            self._sock = web.WebSocketResponse(
                max_msg_size=max_frame, compress=False, timeout=CLOSE_SECONDS
            )
            await self._sock.prepare(environ["aiohttp.request"])
            self.environ = environ
            opened.add(self._sock)
            try:
                await self.handler(self)
            finally:
                opened.discard(self._sock)
            return self._sock

    return PlainWebSocket


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a page of `origin` came from the host it now talks to. (None: it is no page.)

    The scheme is left out: behind a proxy that ends TLS the two differ.
    """
    return origin is not None and urlsplit(origin).netloc.casefold() == host.casefold()
