"""aiohttp under the openai package, in the place of httpx2's own way to the network.

What a stream costs is what each of its many small blocks costs: aiohttp parses HTTP in C, and a
block does not pass through the layers of generators that it does in httpx2 and httpcore2. Requests,
redirects and errors stay those of httpx2.
"""

from collections.abc import AsyncIterator
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from chatserver.bots.openai.body import BROKEN, Body, transport_error

MAX_CONNECTIONS = 1_000
"""At the same time; further requests wait for as long as a connection may take."""


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Keeps connections, for one event loop.

    Responses carry their `Body` as the extension `body`: read that, or the response, never both.
    Proxies are those of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    Certificates are checked as httpx2 does, with `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    """

    def __init__(self) -> None:
        # Now rather than at the first reply: it takes milliseconds, and may fail.
        self._tls = httpx2.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises `httpx2.TransportError`."""
        headers = request.headers.copy()
        headers.pop("accept-encoding", None)  # aiohttp decodes, and asks for what it can decode
        timeout = request.extensions.get("timeout", {})
        try:
            response = await self._live().request(
                request.method,
                str(request.url),
                headers=headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                proxy=_proxy(request.url),
                timeout=aiohttp.ClientTimeout(
                    connect=timeout.get("connect"), sock_read=timeout.get("read")
                ),
            )
        except BROKEN as error:
            raise transport_error(error) from error
        body = Body(response)
        decoded = [
            (name, value)
            for name, value in response.raw_headers
            if name.lower() != b"content-encoding"
        ]
        return httpx2.Response(
            response.status, headers=decoded, stream=_Blocks(body), extensions={"body": body}
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _live(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=MAX_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _Blocks(httpx2.AsyncByteStream):
    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while block := await self._body.read():
            yield block

    async def aclose(self) -> None:
        self._body.close()


def _proxy(url: httpx2.URL) -> str | None:
    """Raises `httpx2.UnsupportedProtocol` for SOCKS."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.host):
        return None
    if "://" not in proxy:
        return f"http://{proxy}"
    if not proxy.lower().startswith(("http://", "https://")):
        raise httpx2.UnsupportedProtocol("only HTTP proxies are spoken to")
    return proxy
