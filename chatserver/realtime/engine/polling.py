"""Sessions over HTTP long-polling. (Engine.IO protocol v4, "HTTP long-polling".)"""

import asyncio

from aiohttp import web

from chatserver.realtime.engine.connection import NO_ANSWER, Connection, PolledTwice
from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.outgoing import CLOSE, Outgoing
from chatserver.realtime.engine.packets import SEPARATOR, InvalidPacket, decode_payload
from chatserver.realtime.engine.protocol import Reason
from chatserver.realtime.engine.sessions import Sessions


class Refused(Exception):
    """The request is answered with `status`; its session, if there is one, is closed."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


async def poll(sessions: Sessions, request: web.Request, connection: Connection) -> str:
    """The payload for a GET. Raises `Refused`.

    A poll whose answer was lost on its way is sent once more by browsers, HTTP libraries and
    proxies, unseen by the client, and gets that answer again. All clients give each of their polls
    another `t`, so that no cache answers them; by that it is known.
    """
    if connection.wire is not None:
        raise Refused(400, "the session is on a WebSocket")
    mark = request.query.get("t", "")
    if mark and mark == connection.answered[0]:
        _, text = connection.answered
        connection.answered = NO_ANSWER  # once: who gives all polls the same `t` gets on
        return text
    try:
        packets = await connection.poll()
    except PolledTwice:
        sessions.close(connection, Reason.TRANSPORT_ERROR, last=CLOSE)
        raise Refused(400, "a poll is open already") from None
    if connection.closed and connection.is_empty:
        sessions.parted(connection.sid)
    if not packets:
        raise Refused(400, "the session is closed")
    if request.transport is None or request.transport.is_closing():
        # They would go nowhere, and the client could not know.
        sessions.close(connection, Reason.TRANSPORT_CLOSE, is_cut=True)
    text = encode_payload(packets)
    connection.answered = (mark, text)
    return text


def encode_payload(packets: list[Outgoing]) -> str:
    return SEPARATOR.join([packet.polled for packet in packets])


async def post(sessions: Sessions, request: web.Request, connection: Connection) -> str:
    """Takes in what a POST carries; returns the answer. Raises `Refused`."""
    if connection.wire is not None:
        raise Refused(400, "the session is on a WebSocket")
    if connection.posting:
        # Which of the two was sent first can no longer be told.
        sessions.refuse(connection, CloseCode.PROTOCOL_ERROR, "two requests at once")
        raise Refused(400, "another request is under way")
    connection.posting = True
    try:
        body = await _read_body(request, sessions.limits.frame_bytes, sessions.limits.ping_timeout)
        packets = decode_payload(body, sessions.limits.payload_packets)
        for packet in packets:
            await sessions.receive(connection, packet)
            if connection.closed and not connection.ended_by_client:
                raise Refused(400, "the session was closed")
    except Refused as refusal:
        sessions.refuse(connection, CloseCode.PROTOCOL_ERROR, refusal.why)
        raise
    except InvalidPacket as failure:
        sessions.refuse(connection, CloseCode.PROTOCOL_ERROR, str(failure))
        raise Refused(400, str(failure)) from None
    finally:
        connection.posting = False
    return "ok"


async def _read_body(request: web.Request, limit: int, seconds: float) -> bytes:
    """All of it, in however many pieces it comes. Raises `Refused`."""
    if (request.content_length or 0) > limit:
        raise Refused(413, "the body is too large")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise Refused(413, "the body is too large")
    except TimeoutError:
        raise Refused(408, "the body did not come in time") from None
    return bytes(body)
