"""Who sends a request, as far as it tells without a token, and how often."""

import math
from collections.abc import Hashable, Sequence

from aiohttp import hdrs, web

from chatserver.addresses import Network, client_address, subscriber
from chatserver.chat.errors import RateLimited
from chatserver.chat.rates import RateLimiter


def caller(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address by which a caller is counted; `trusted` are the proxies that are believed."""
    forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
    return subscriber(client_address(request.remote, forwarded, trusted))


def count(rate: RateLimiter, key: Hashable) -> None:
    """Counts one more of `key`. Raises `RateLimited`."""
    wait = rate.take(key)
    if wait:
        raise RateLimited(
            "too many requests; wait a moment", retry_after_ms=max(1, math.ceil(wait * 1000))
        )
