"""Ends of TCP connections: in words, and without."""

import socket
import struct
from contextlib import suppress

from chatserver.realtime.engine.connection import Wire
from chatserver.realtime.engine.deadlines import Deadlines
from chatserver.realtime.engine.frames import close_frame

CLOSE_SECONDS = 2.0
"""How long a client may take to answer that the connection is closed."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def cut(wire: Wire) -> None:
    """Resets the connection. What the kernel still holds for the peer is freed at once, too."""
    _set_option(wire, socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    wire.abort()


def limit_silence(wire: Wire, seconds: float) -> None:
    """The kernel gives up on a peer that has confirmed nothing for so long (RFC 5482)."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        _set_option(wire, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))


class Farewells:
    """WebSockets that were told the end and get a moment to answer, or are cut."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._wires = deadlines.queue(CLOSE_SECONDS, cut)

    def say(self, wire: Wire, code: int, reason: str = "") -> None:
        """Sends a close frame; nothing may be written after it."""
        if wire.is_closing():
            return
        wire.write(close_frame(code, reason))
        self._wires.add(wire)


def _set_option(wire: Wire, level: int, name: int, value: int | bytes) -> None:
    sock = wire.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):  # not TCP, or gone already
            sock.setsockopt(level, name, value)
