"""The WebSocket below one connection, closed whatever `engineio` makes of it."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp

CLOSE_SECONDS = 1.0
"""How long the other side is given to close with us."""


class Opener:
    """What `engineio` gets for an HTTP session, of which it uses no more than this.

    It forgets a WebSocket whose opening it dislikes, or that fell silent, and leaves it open.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.closed = False
        self._http = http
        self._socket: aiohttp.ClientWebSocketResponse[Any] | None = None

    async def ws_connect(self, url: str, **options: Any) -> aiohttp.ClientWebSocketResponse[Any]:
        self._socket = await self._http.ws_connect(url, **options)
        return self._socket

    async def close(self) -> None:
        """Ends the WebSocket, if there is one. Safe to repeat."""
        self.closed = True
        if self._socket is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._socket.close()
