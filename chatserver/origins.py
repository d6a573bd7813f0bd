"""Which pages may talk to the server."""

from collections.abc import Collection
from urllib.parse import urlsplit


def is_own_or_allowed(origin: str, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` came from the `host` it now talks to, or is allowed (`*`: all).

    The scheme is left out: behind a proxy that ends TLS the two differ.
    """
    if "*" in allowed or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc.casefold() == host.casefold()
    except ValueError:  # a browser sends no such thing
        return False
