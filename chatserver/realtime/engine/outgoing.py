"""A packet on its way to clients, encoded once for however many of them."""

from typing import Self

from chatserver.realtime.engine.frames import binary_frame, deflated_text_frame, text_frame
from chatserver.realtime.engine.packets import Packet, PacketType, encode_polled


class Outgoing:
    """The bytes of its WebSocket frame; other forms are made for the first who needs them."""

    __slots__ = ("_deflated", "_packet", "_polled", "frame")

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._polled: str | None = None
        self._deflated: bytes | None = None
        if isinstance(packet.data, bytes):
            self.frame = binary_frame(packet.data)
        else:
            self.frame = text_frame((packet.type.value + packet.data).encode())

    @classmethod
    def message(cls, data: str | bytes) -> Self:
        return cls(Packet(PacketType.MESSAGE, data))

    @property
    def data(self) -> str | bytes:
        """What it carries."""
        return self._packet.data

    def deflated(self, least: int) -> bytes:
        """Its frame for clients that can inflate; plain below `least` bytes, or where that is less.

        `least` is the same in every call.
        """
        if self._deflated is None:
            self._deflated = self.frame
            data = self._packet.data
            if isinstance(data, str) and len(self.frame) >= least:
                packed = deflated_text_frame((self._packet.type.value + data).encode())
                self._deflated = min(packed, self.frame, key=len)
        return self._deflated

    @property
    def polled(self) -> str:
        """As part of a polling payload."""
        if self._polled is None:
            self._polled = encode_polled(self._packet)
        return self._polled


PING = Outgoing(Packet(PacketType.PING))
CLOSE = Outgoing(Packet(PacketType.CLOSE))
NOOP = Outgoing(Packet(PacketType.NOOP))
PROBE_ANSWER = Outgoing(Packet(PacketType.PONG, "probe"))
