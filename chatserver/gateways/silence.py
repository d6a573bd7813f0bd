"""Peers that take nothing any more."""

import socket
from contextlib import suppress

from aiohttp import web


def limit_silence(request: web.Request, seconds: float) -> None:
    """The kernel gives up on a peer that has confirmed nothing for so long (RFC 5482)."""
    wire = request.get_extra_info("socket")
    if wire is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        with suppress(OSError):  # not TCP, or gone already
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
