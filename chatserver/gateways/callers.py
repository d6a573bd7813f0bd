"""Who sends a request, as far as it tells without a token."""

from collections.abc import Sequence

from aiohttp import hdrs, web

from chatserver.addresses import Network, client_address, subscriber


def caller(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address by which a caller is counted; `trusted` are the proxies that are believed."""
    forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
    return subscriber(client_address(request.remote, forwarded, trusted))
