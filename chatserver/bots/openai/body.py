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
        self._rest_until: float | None = None
        self._resting: asyncio.Future[None] | None = None
        response.content.on_eof(self._wake)

    async def read(self) -> bytes:
        """What has come, else what comes next; empty at the end. Raises `httpx2.TransportError`."""
        until, self._rest_until = self._rest_until, None
        if until is not None:
            await self._rest(until)
        try:
            return await self._response.content.readany()
        except BROKEN as error:
            raise transport_error(error) from error

    def hold(self, until: float) -> None:
        """Lets what comes until then, in the event loop's time, be read as one block.

        Plain TCP is left in the socket, where nothing of it wakes this process. TLS is received,
        and only its reading waits, at most until the end of the body: where reading is paused and
        the other side ends TCP without a word of TLS, uvloop loses what it has decrypted.
        """
        transport = self._transport()
        if transport is None or self._held is not None:
            return
        if transport.get_extra_info("ssl_object") is not None:
            self._rest_until = until
        else:
            transport.pause_reading()
            self._held = self._loop.call_at(until, self._resume)

    def close(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self._response.close()

    async def _rest(self, until: float) -> None:
        self._resting = self._loop.create_future()
        timer = self._loop.call_at(until, self._wake)
        try:
            await self._resting
        finally:
            timer.cancel()
            self._resting = None

    def _wake(self) -> None:
        if self._resting is not None and not self._resting.done():
            self._resting.set_result(None)

    def _resume(self) -> None:
        self._held = None
        transport = self._transport()
        if transport is not None:
            transport.resume_reading()

    def _transport(self) -> asyncio.ReadTransport | None:
        """None where the body is at its end, or broken."""
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        return None if transport is None or transport.is_closing() else transport


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
