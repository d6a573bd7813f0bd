"""python-socketio's server on our Engine.IO transport and manager, with our limits."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import socketio
import structlog
from socketio.exceptions import ConnectionRefusedError as Refused
from socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
)
from socketio.packet import Packet as SocketPacket

from chatserver.observability.metrics import Metrics
from chatserver.origins import is_own_or_allowed
from chatserver.realtime.codec import Codec
from chatserver.realtime.engine.census import Census
from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.engine.server import EngineServer
from chatserver.realtime.engine.sessions import Sessions
from chatserver.realtime.incoming import (
    BadPacket,
    UnexpectedBinary,
    add_attachment,
    read_packet,
)
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.manager import RoomManager, TextPacket
from chatserver.realtime.members import Phase

log = structlog.get_logger(__name__)

PARTING_SECONDS = 1.0
"""How long a server that stops stays for clients between two polls."""


class ChatSocketServer(socketio.AsyncServer):  # type: ignore[misc]  # python-socketio is untyped
    """A connection whose client breaks the protocol is closed, with all that it held."""

    def __init__(
        self,
        *,
        limits: ConnectionLimits,
        allowed_origins: tuple[str, ...],
        trusted_proxies: tuple[IPv4Network | IPv6Network, ...],
        metrics: Metrics,
        instance: str = "",
    ) -> None:
        self._max_attachments = limits.attachments
        self._metrics = metrics
        self.connected: Callable[[str], None] = lambda sid: None
        """Called with the sid of each connection right after its CONNECT was answered."""
        self.slow_events: frozenset[str] = frozenset()
        """Those that hold up no other event of their connection."""
        super().__init__(
            client_manager=RoomManager(),
            serializer=SocketPacket if limits.attachments else TextPacket,
            json=Codec(limits.json_depth),
            limits=limits.of_transport(),
            allows_origin=lambda origin, request: is_own_or_allowed(
                origin, request.host, allowed_origins
            ),
            trusted_proxies=trusted_proxies,
            cut_off=self._cut_off,
            turned_away=metrics.refused.labels("too_many_connections").inc,
            ended=lambda reason: metrics.ended.labels(reason).inc(),
            instance=instance,
        )
        self._sessions: Sessions = self.eio.sessions

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    @property
    def rooms_manager(self) -> RoomManager:
        manager = self.manager
        assert isinstance(manager, RoomManager)
        return manager

    @property
    def census(self) -> Census:
        return self._sessions.census

    def too_many(self, engine_id: str) -> bool:
        """Whether this connection is one more than its address, or the process, may have."""
        connection = self._sessions.live.get(engine_id)
        return connection is not None and self._sessions.census.too_many(connection.address)

    def is_one_too_many(self, sid: str, namespace: str) -> bool:
        """The same for a member of a namespace."""
        return self.too_many(self.manager.eio_sid_from_sid(sid, namespace))

    def address_of(self, sid: str, namespace: str) -> str | None:
        """Where a member of a namespace comes from. None: it has gone."""
        connection = self._sessions.live.get(self.manager.eio_sid_from_sid(sid, namespace))
        return connection.address if connection is not None else None

    def send_back(self, sid: str, namespace: str) -> None:
        """Closes its connection in a moment, so that its client comes again by itself.

        (A client whom a namespace disconnects does not.)
        """
        self._sessions.linger(self.manager.eio_sid_from_sid(sid, namespace))

    def keep(self, sid: str, namespace: str) -> None:
        """Its connection may stay after all."""
        self._sessions.settled(self.manager.eio_sid_from_sid(sid, namespace))

    def refuse_new(self) -> None:
        """Answers handshakes with 503 from now on, so that load balancers ask another."""
        self._sessions.is_closing = True

    async def close_all(self) -> None:
        """Closes every connection so that its client comes back to another instance by itself."""
        await self._sessions.close_all(CloseCode.SERVICE_RESTART, patience=PARTING_SECONDS)

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        engine_id = self.manager.eio_sid_from_sid(sid, namespace or "/")
        await super().disconnect(sid, namespace, ignore_queue)
        if engine_id is not None and not self.rooms_manager.namespaces_of(engine_id):
            self._sessions.linger(engine_id)

    def _cut_off(self, engine_id: str) -> None:
        self._metrics.cut_off.inc()
        log.warning("slow_consumer_cut_off", connection=engine_id)

    # --- packets from clients ------------------------------------------------------------------

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        try:
            packet = self._read(eio_sid, data)
            if packet is not None:
                await self._act_on(eio_sid, packet)
        except BadPacket as bad:
            connection = self._sessions.live.get(eio_sid)
            is_binary = isinstance(bad, UnexpectedBinary)
            code = CloseCode.UNSUPPORTED_DATA if is_binary else CloseCode.PROTOCOL_ERROR
            if connection is not None:
                self._sessions.refuse(connection, code, str(bad))

    def _read(self, eio_sid: str, data: str | bytes) -> SocketPacket | None:
        """A packet that is complete. Raises `BadPacket`."""
        waiting = self._binary_packet.get(eio_sid)
        if waiting is not None:
            if not add_attachment(waiting, data):
                return None
            return self._binary_packet.pop(eio_sid)
        packet = read_packet(data, self.packet_class, self._max_attachments)
        if packet.attachment_count:
            self._binary_packet[eio_sid] = packet
            return None
        return packet

    async def _act_on(self, eio_sid: str, packet: SocketPacket) -> None:
        namespace = packet.namespace or "/"
        kind = packet.packet_type
        if kind in (EVENT, BINARY_EVENT):
            await self._on_event(eio_sid, namespace, packet)
        elif kind == CONNECT:
            await self._handle_connect(eio_sid, namespace, packet.data)
        elif kind == DISCONNECT:
            await self._handle_disconnect(eio_sid, namespace, self.reason.CLIENT_DISCONNECT)
        elif kind in (ACK, BINARY_ACK):
            sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
            if not self.rooms_manager.expects_ack(sid, packet.id):
                raise BadPacket("an ack that nobody asked for")
            await self.manager.trigger_callback(sid, packet.id, packet.data)

    async def _on_event(self, eio_sid: str, namespace: str, packet: SocketPacket) -> None:
        """Events take effect one after the other; the next is read when this one has its ack.

        So their order needs no lock and no task, and who sends faster than we commit is held back
        by TCP. (A handler may therefore not wait for an ack of its own client.)
        """
        member = self.rooms_manager.member_of(eio_sid, namespace)
        if member is None:
            raise BadPacket("an event in a namespace that was not entered")
        if member.phase is not Phase.CONNECTED:
            return
        event = self._run_event(eio_sid, namespace, member.sid, packet.id, packet.data)
        if packet.data[0] in self.slow_events:
            self.start_background_task(lambda: event)
        else:
            await event

    async def _run_event(
        self, eio_sid: str, namespace: str, sid: str, number: int | None, data: list[Any]
    ) -> None:
        result = await self._trigger_event(data[0], namespace, sid, *data[1:])
        if number is None or result is self.not_handled:
            return
        answer = list(result) if isinstance(result, tuple) else [] if result is None else [result]
        self._put(eio_sid, self.packet_class(ACK, namespace=namespace, id=number, data=answer))

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """A namespace's class takes all its events, without a look for functions first."""
        handler = self.namespace_handlers.get(namespace)
        if handler is not None:
            return await handler.trigger_event(event, *args)
        return await super()._trigger_event(event, namespace, *args)

    # --- connections ---------------------------------------------------------------------------

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        """The answer leaves before anything that the connect handler sent, even to its own sid."""
        sid = None
        if namespace in self.handlers or namespace in self.namespace_handlers:
            sid = await self.manager.pre_connect(eio_sid, namespace)
            if sid is None:
                raise BadPacket("it is connected to this namespace already")
        refusal: Any = {"message": "Invalid namespace"}
        if sid is not None:
            refusal = await self._ask(sid, namespace, self.environ.get(eio_sid), data)
        if refusal is not None:
            self._put(eio_sid, self.packet_class(CONNECT_ERROR, refusal, namespace=namespace))
        elif eio_sid in self._sessions.live:
            self._put(eio_sid, self.packet_class(CONNECT, {"sid": sid}, namespace=namespace))
            await self.manager.connect(sid, namespace)
            self._sessions.settled(eio_sid)
            self.connected(str(sid))
            return
        else:  # it has gone while the handler ran
            await self._trigger_event("disconnect", namespace, sid, self.reason.TRANSPORT_CLOSE)
        if sid is not None:
            self.rooms_manager.basic_disconnect(sid, namespace)
        if not self.rooms_manager.namespaces_of(eio_sid):
            # Leave the client a moment to read why, then free what it holds.
            self._sessions.linger(eio_sid)

    async def _ask(self, sid: str, namespace: str, environ: Any, auth: Any) -> Any:
        """The connect handler's refusal, if it is one."""
        try:
            answer = await self._trigger_event("connect", namespace, sid, environ, auth)
        except Refused as refused:
            return refused.error_args
        except BaseException:
            self.rooms_manager.basic_disconnect(sid, namespace)
            raise
        return Refused().error_args if answer is False else None

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str, reason: str | None = None
    ) -> None:
        await super()._handle_disconnect(eio_sid, namespace, reason)
        if not self.rooms_manager.namespaces_of(eio_sid):
            self._sessions.unsettled(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str | None) -> None:
        self._binary_packet.pop(eio_sid, None)
        self.environ.pop(eio_sid, None)
        for namespace in self.rooms_manager.namespaces_of(eio_sid):
            await self._handle_disconnect(eio_sid, namespace, reason)

    # --- packets to clients --------------------------------------------------------------------

    async def _send_packet(self, eio_sid: str, pkt: SocketPacket) -> None:
        self._put(eio_sid, pkt)

    def _put(self, eio_sid: str, packet: SocketPacket) -> None:
        connection = self._sessions.live.get(eio_sid)
        if connection is None:
            return
        encoded = packet.encode()
        for part in encoded if isinstance(encoded, list) else (encoded,):
            connection.send(Outgoing.message(part))
