"""Sessions over WebSocket: aiohttp does the handshake and the reading, we write past it."""

import asyncio
import itertools
import zlib
from contextlib import suppress

from aiohttp import WSMsgType, web

from chatserver.realtime.engine.closing import limit_silence
from chatserver.realtime.engine.connection import Connection, Wire
from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.outgoing import PROBE_ANSWER
from chatserver.realtime.engine.packets import InvalidPacket, Packet, PacketType, decode_packet
from chatserver.realtime.engine.protocol import Probe, Reason, echoed, on_probe
from chatserver.realtime.engine.sessions import Sessions

LINGER_SECONDS = 1.0
"""What comes in is thrown away for so long after a frame that cannot be read.

Closing at once would reset the connection, and the client might never see the close code.
"""
TURN_PACKETS = 32
"""A client whose packets lie ready gives way to the others after so many."""
MESSAGE = PacketType.MESSAGE.value


class Socket(web.WebSocketResponse):
    """Never writes a close frame itself: there must be one, and nothing of ours after it."""

    def __init__(self, limits: EngineLimits) -> None:
        super().__init__(
            compress=limits.compress_bytes > 0,
            # aiohttp's limit is the first size that is too much.
            max_msg_size=limits.frame_bytes + 1,
            autoclose=False,
        )
        self._compress_bytes = limits.compress_bytes
        self.failure: int | None = None
        """The close code for a frame that could not be read."""

    @property
    def deflates(self) -> int:
        """Frames of so many bytes or more may be sent to it compressed; 0: none.

        A client that asked for a smaller window than ours gets plain ones, which it must take too.
        """
        return self._compress_bytes if self.compress == zlib.MAX_WBITS else 0

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """Called by aiohttp where reading ends: by an undecodable frame, or with the transport."""
        if code != CloseCode.NORMAL and self.failure is None:
            self.failure = code
        return True

    async def pong(self, message: bytes = b"") -> None:
        """Called by aiohttp for a ping; it would raise where the client did not wait."""
        with suppress(ConnectionError):
            await super().pong(message)


async def serve(sessions: Sessions, request: web.Request, connection: Connection) -> Socket:
    """A session that begins on a WebSocket, until its end."""
    try:
        socket, wire = await _accept(sessions, request)
        connection.upgrade(wire, socket.deflates)
        await sessions.opened(connection)
        await _read(sessions, connection, socket)
    finally:  # refused by aiohttp, or cancelled by it
        sessions.close(connection, Reason.TRANSPORT_CLOSE, is_cut=True)
    return socket


async def upgrade(sessions: Sessions, request: web.Request, connection: Connection) -> Socket:
    """A WebSocket that wants to take a polling session over; if it may, until the session's end."""
    socket, wire = await _accept(sessions, request)
    if connection.closed or connection.wire is not None or connection.candidate is not None:
        sessions.farewells.say(wire, CloseCode.POLICY_VIOLATION, "the session is elsewhere")
        await _discard(socket)
        return socket
    connection.candidate = wire
    sessions.upgrading.add(wire)
    is_done = False
    try:
        is_done = await _probe(connection, socket, wire)
    finally:
        sessions.upgrading.discard(wire)
        if not is_done and connection.candidate is wire:
            connection.keep_polling()
            sessions.farewells.say(wire, socket.failure or CloseCode.PROTOCOL_ERROR)
    if is_done and not connection.closed:
        connection.upgrade(wire, socket.deflates)
        try:
            await _read(sessions, connection, socket)
        finally:
            sessions.close(connection, Reason.TRANSPORT_CLOSE, is_cut=True)
        return socket
    await _discard(socket)
    return socket


async def _accept(sessions: Sessions, request: web.Request) -> tuple[Socket, Wire]:
    limits = sessions.limits
    socket = Socket(limits)
    await socket.prepare(request)
    wire = request.transport
    if wire is None:
        raise ConnectionResetError("the client has gone")
    limit_silence(wire, limits.ping_interval + limits.ping_timeout)
    return socket, wire


async def _probe(connection: Connection, socket: Socket, wire: Wire) -> bool:
    state = Probe.NEW
    while state in (Probe.NEW, Probe.ANSWERED):
        message = await socket.receive()
        if message.type is not WSMsgType.TEXT or connection.closed:
            return False
        try:
            state = on_probe(state, decode_packet(message.data))
        except InvalidPacket:
            return False
        if state is Probe.ANSWERED and not wire.is_closing():
            wire.write(PROBE_ANSWER.frame)
            connection.probe()
    return state is Probe.DONE


async def _read(sessions: Sessions, connection: Connection, socket: Socket) -> None:
    """Every packet takes its effect here, in the order sent, without a task or timer of its own."""
    for number in itertools.count(1):
        if number % TURN_PACKETS == 0:
            await asyncio.sleep(0)
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            text: str = message.data
            if text[:1] == MESSAGE:
                await sessions.message(connection, text[1:])
                continue
            try:
                packet = decode_packet(text)
            except InvalidPacket as failure:
                sessions.refuse(connection, CloseCode.PROTOCOL_ERROR, str(failure))
            else:
                await sessions.receive(connection, packet)
        elif message.type is WSMsgType.BINARY:
            await sessions.receive(connection, Packet(PacketType.MESSAGE, message.data))
        elif socket.failure is not None:
            sessions.refuse(connection, socket.failure, "undecodable frame")
            await asyncio.sleep(LINGER_SECONDS)
            return
        else:
            code = echoed(message.data) if message.type is WSMsgType.CLOSE else CloseCode.NORMAL
            sessions.close(connection, Reason.TRANSPORT_CLOSE, code=code)
            return


async def _discard(socket: Socket) -> None:
    """Until the client confirms the end, or is cut."""
    while (await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        pass
