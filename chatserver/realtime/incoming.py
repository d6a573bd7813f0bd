"""Socket.IO packets as they come from clients, checked before anything acts on them.

Source: Socket.IO protocol v5, "Packet encoding"
(https://socket.io/docs/v4/socket-io-protocol/#packet-encoding).
"""

from socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    DISCONNECT,
    EVENT,
)
from socketio.packet import Packet as SocketPacket

RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting"})
"""Events that only the library itself raises: a client that sends one pretends to be it."""


class BadPacket(Exception):
    """Not a Socket.IO packet, or one that a client may not send."""


class UnexpectedBinary(BadPacket):
    """Bytes, where none were announced or none are accepted."""


def read_packet(
    data: str | bytes, packet_class: type[SocketPacket], max_attachments: int
) -> SocketPacket:
    """Raises `BadPacket`. Attachments that were announced are still to come."""
    if isinstance(data, bytes):
        raise UnexpectedBinary("bytes that nothing announced")
    try:
        packet = packet_class(encoded_packet=data)
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as failure:
        raise BadPacket("not a Socket.IO packet") from failure
    match packet.packet_type:
        case _ if not data:
            raise BadPacket("an empty packet")
        case t if t in (BINARY_EVENT, BINARY_ACK):
            if packet.attachment_count > max_attachments:
                raise UnexpectedBinary(f"more than {max_attachments} attachments")
            if not packet.attachment_count:
                raise BadPacket("a binary packet without attachments")
        case _ if packet.attachment_count:
            raise BadPacket("attachments to a packet that has none")
    check_payload(packet)
    return packet


def check_payload(packet: SocketPacket) -> None:
    """Raises `BadPacket` where the payload is not of the packet's type."""
    payload = packet.data
    match packet.packet_type:
        case t if t == CONNECT:
            is_fine = payload is None or isinstance(payload, dict)
        case t if t == DISCONNECT:
            is_fine = payload is None
        case t if t in (EVENT, BINARY_EVENT):
            is_fine = isinstance(payload, list) and bool(payload) and is_event_name(payload[0])
        case t if t in (ACK, BINARY_ACK):
            is_fine = isinstance(payload, list) and packet.id is not None
        case _:
            is_fine = False
    if not is_fine:
        raise BadPacket("not the payload of such a packet")


def is_event_name(name: object) -> bool:
    return isinstance(name, str) and name not in RESERVED


def add_attachment(packet: SocketPacket, data: str | bytes) -> bool:
    """Whether the packet is complete now. Raises `BadPacket`."""
    if isinstance(data, str):
        raise BadPacket("a packet before all attachments of the last")
    try:
        is_complete: bool = packet.add_attachment(data)
    except (ValueError, TypeError, IndexError, RecursionError) as failure:
        raise BadPacket("a placeholder for no attachment") from failure
    if is_complete:
        check_payload(packet)
    return is_complete
