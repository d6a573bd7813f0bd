"""What python-socketio uses of an Engine.IO server, and no more.

It takes the place of `engineio.AsyncServer` (`AsyncServer._engineio_server_class`). A test compares
this class with python-socketio's source, so that a release that needs more is noticed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from chatserver.addresses import Network
from chatserver.realtime.engine.background import Background
from chatserver.realtime.engine.connection import Connection
from chatserver.realtime.engine.endpoint import Endpoint
from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.origins import AllowsOrigin
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.engine.packets import Packet, PacketType
from chatserver.realtime.engine.protocol import Reason
from chatserver.realtime.engine.sessions import Handler, Sessions, new_sid

EVENTS = ("connect", "message", "disconnect")


class EngineServer:
    """Takes python-socketio's own options as well, and has no use for them."""

    async_mode = "aiohttp"
    reason = Reason

    def __init__(
        self,
        *,
        limits: EngineLimits,
        allows_origin: AllowsOrigin,
        trusted_proxies: tuple[Network, ...] = (),
        cut_off: Callable[[str], object] = lambda sid: None,
        turned_away: Callable[[], object] = lambda: None,
        ended: Callable[[str], object] = lambda reason: None,
        instance: str = "",
        **_ours_is_fixed: object,
    ) -> None:
        """`cut_off` hears the sid of each slow consumer that is about to lose its connection,
        `turned_away` of each connection that was one too many by far, `ended` the `Reason` of each
        that ended. The sids of sessions begin with `instance`.
        """
        self._background = Background()
        self.sessions = Sessions(
            limits,
            self._background,
            cut_off=cut_off,
            turned_away=turned_away,
            ended=ended,
            instance=instance,
        )
        self._endpoint = Endpoint(
            self.sessions, allows_origin=allows_origin, trusted_proxies=trusted_proxies
        )

    @property
    def sockets(self) -> dict[str, Connection]:
        """The live connections by sid."""
        return self.sessions.live

    def on(self, event: str, handler: Handler) -> None:
        if event not in EVENTS:
            raise ValueError("there is no such event")
        self.sessions.handlers[event] = handler

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        return await self._endpoint.handle(request)

    async def send(self, sid: str, data: str | bytes) -> None:
        self._send(sid, Packet(PacketType.MESSAGE, data))

    async def send_packet(self, sid: str, packet: Any) -> None:
        """`packet`: an `engineio.packet.Packet`."""
        self._send(sid, Packet(PacketType(str(packet.packet_type)), packet.data or ""))

    def _send(self, sid: str, packet: Packet) -> None:
        connection = self.sessions.live.get(sid)
        if connection is not None:
            connection.send(Outgoing(packet))

    async def disconnect(self, sid: str | None = None) -> None:
        """Returns when the disconnect handlers have. Without `sid`: everybody."""
        if sid is None:
            await self.sessions.close_all(CloseCode.NORMAL)
        elif sid in self.sockets:
            task = self.sessions.close(self.sockets[sid], Reason.SERVER_DISCONNECT)
            if task is not None:
                await task

    def transport(self, sid: str) -> str:
        """`polling` or `websocket`. Raises `KeyError`."""
        return self.sockets[sid].transport

    async def get_session(self, sid: str) -> dict[str, Any]:
        """Raises `KeyError`."""
        return self.sockets[sid].session

    async def save_session(self, sid: str, session: dict[str, Any]) -> None:
        self.sockets[sid].session = session

    @asynccontextmanager
    async def session(self, sid: str) -> AsyncIterator[dict[str, Any]]:
        session = await self.get_session(sid)
        yield session
        await self.save_session(sid, session)

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        return self._background.start(target(*args, **kwargs))

    def sleep(self, seconds: float = 0) -> Awaitable[None]:
        return asyncio.sleep(seconds)

    def create_queue(self, *args: Any, **kwargs: Any) -> asyncio.Queue[Any]:
        return asyncio.Queue(*args, **kwargs)

    def get_queue_empty_exception(self) -> type[Exception]:
        return asyncio.QueueEmpty

    def create_event(self) -> asyncio.Event:
        return asyncio.Event()

    def generate_id(self) -> str:
        return new_sid()

    async def shutdown(self) -> None:
        """No more timers."""
        self.sessions.deadlines.stop()
