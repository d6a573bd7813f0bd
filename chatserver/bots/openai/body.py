"""The body of a model's response, block by block, through aiohttp."""

import asyncio

import aiohttp
import httpx2
from aiohttp.http_exceptions import HttpProcessingError

BROKEN = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError)
"""What aiohttp raises where a connection does not do."""


class Body:
    """To be closed, which ends the connection unless the body has been read to its end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._held: asyncio.TimerHandle | None = None

    async def read(self) -> bytes:
        """What has come, else what comes next; empty at the end. Raises `httpx2.TransportError`."""
        try:
            return await self._response.content.readany()
        except BROKEN as error:
            raise transport_error(error) from error

    def hold(self, until: float) -> None:
        """Leaves what comes in the socket until then, in the event loop's time.

        Nothing of it wakes this process, and it comes as one block.
        """
        if self._held is None and self._pause():
            self._held = self._loop.call_at(until, self._resume)

    def close(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self._response.close()

    def _pause(self) -> bool:
        transport = self._transport()
        if transport is not None and not transport.is_closing():
            transport.pause_reading()
            return True
        return False

    def _resume(self) -> None:
        self._held = None
        transport = self._transport()
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    def _transport(self) -> asyncio.ReadTransport | None:
        """None where the body is at its end, or broken."""
        connection = self._response.connection
        return None if connection is None else connection.transport


def transport_error(error: Exception) -> httpx2.TransportError:
    """The same in httpx2's words."""
    match error:
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return httpx2.ProxyError(str(error))
        case aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectTimeout(str(error))
        case aiohttp.ClientConnectorError():  # names, addresses and certificates too
            return httpx2.ConnectError(str(error))
        case aiohttp.InvalidURL():
            return httpx2.UnsupportedProtocol(str(error))
        case TimeoutError():
            return httpx2.ReadTimeout(str(error))
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return httpx2.RemoteProtocolError(str(error))
        case _:
            return httpx2.ReadError(str(error))
