"""The client's end of a WebSocket as one Protocol: no tasks, no timers, nothing copied."""

import asyncio
import base64
import os
import socket
from abc import ABC, abstractmethod
from typing import cast

from chatserver.loadtest import frames
from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.target import Target

SMALL_BUFFER = 4096


class WebSocket(asyncio.Protocol, ABC):
    """Its heir gets every text message by `packet` and the end, once, by `ended`."""

    __slots__ = ("_deflate", "_inflater", "_rest", "_target", "_transport", "_upgraded", "lost")

    def __init__(self, target: Target, *, deflate: bool = False) -> None:
        self.lost = False
        self._target = target
        self._deflate = deflate
        self._transport: asyncio.Transport | None = None
        self._upgraded = False
        self._rest = b""
        self._inflater: frames.Inflater | None = None

    @abstractmethod
    def packet(self, data: bytes, start: int, stop: int) -> None:
        """A message: `data[start:stop]`."""

    @abstractmethod
    def ended(self, error: LoadError) -> None:
        """The connection is gone, or there never was a WebSocket."""

    def write(self, packet: bytes) -> None:
        assert self._transport is not None
        self._transport.write(frames.masked(packet))

    def pause_reading(self) -> None:
        """Becomes a client that takes nothing more from the network, and buffers little."""
        assert self._transport is not None
        self._transport.pause_reading()
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)

    def close(self) -> None:
        """At once, without a closing handshake."""
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = transport = cast(asyncio.Transport, transport)
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self._deflate else ""
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self._target.host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n{offer}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self._upgraded:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = data
                return
            data = self._read_upgrade(head, rest)
        whole, end = frames.split(data)
        for first, start, stop in whole:
            if first == frames.TEXT:
                self.packet(data, start, stop)
            else:
                self._read_other(first, data[start:stop])
        self._rest = data[end:] if end < len(data) else b""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self.ended(LoadError("connection_lost", f"the server closed the connection: {exc}"))

    # --- other than messages ---------------------------------------------------------------------

    def _read_upgrade(self, head: bytes, rest: bytes) -> bytes:
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.lost = True
            self.ended(LoadError("no_websocket", f"no WebSocket: {head[:80]!r} {rest[:200]!r}"))
            self.close()
            return b""
        self._upgraded = True
        if b"permessage-deflate" in head.lower():
            self._inflater = frames.Inflater()
        return rest

    def _read_other(self, first: int, payload: bytes) -> None:
        if first == frames.COMPRESSED_TEXT and self._inflater is not None:
            message = self._inflater.inflate(payload)
            self.packet(message, 0, len(message))
        elif first == frames.PING and self._transport is not None:
            self._transport.write(frames.masked(payload, frames.PONG))
        elif first == frames.CLOSE:
            self.close()
