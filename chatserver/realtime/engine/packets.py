"""Engine.IO packets and polling payloads.

Source: Engine.IO protocol v4, "Packet encoding"
(https://socket.io/docs/v4/engine-io-protocol/#packet-encoding).
"""

import binascii
from base64 import b64decode, b64encode
from enum import StrEnum
from typing import NamedTuple

SEPARATOR = "\x1e"


class PacketType(StrEnum):
    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


TYPES = {kind.value: kind for kind in PacketType}


class InvalidPacket(Exception):
    """Not an Engine.IO packet, or one that may not be sent here."""


class TooManyPackets(InvalidPacket):
    """More packets in one payload than allowed."""


class Packet(NamedTuple):
    type: PacketType
    data: str | bytes = ""


def decode_packet(encoded: str | bytes) -> Packet:
    """One packet of a WebSocket message. Raises `InvalidPacket`."""
    if isinstance(encoded, bytes):
        return Packet(PacketType.MESSAGE, encoded)
    kind = TYPES.get(encoded[:1])
    if kind is None:
        raise InvalidPacket("no such packet type")
    return Packet(kind, encoded[1:])


def decode_payload(body: bytes, max_packets: int) -> list[Packet]:
    """The packets of a polling request's body. Raises `InvalidPacket`, `TooManyPackets`."""
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        raise InvalidPacket("not UTF-8") from failure
    # Counted first, so that a million separators cost no million strings.
    if text.count(SEPARATOR) >= max_packets:
        raise TooManyPackets(f"more than {max_packets} packets in one payload")
    return [_decode_polled(part) for part in text.split(SEPARATOR)]


def encode_polled(packet: Packet) -> str:
    """A packet as part of a polling payload, where bytes are base64."""
    if isinstance(packet.data, bytes):
        return "b" + b64encode(packet.data).decode()
    return packet.type.value + packet.data


def _decode_polled(encoded: str) -> Packet:
    if not encoded.startswith("b"):
        return decode_packet(encoded)
    try:
        return Packet(PacketType.MESSAGE, b64decode(encoded[1:], validate=True))
    except (binascii.Error, ValueError) as failure:
        raise InvalidPacket("not base64") from failure
