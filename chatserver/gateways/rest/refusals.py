"""What only a request over HTTP can be refused for."""

import math

from chatserver.chat.errors import InvalidPayload, RateLimited, Unauthorized


class Malformed(InvalidPayload):
    """The request is not even JSON."""


class TokenMissing(Unauthorized):
    """No bearer token came with the request."""


class UnsupportedMediaType(InvalidPayload):
    """The body is of another type than JSON."""


class NotAcceptable(InvalidPayload):
    """The client accepts nothing that the route can answer with."""


class MethodNotAllowed(InvalidPayload):
    """The resource exists and knows no such method."""


def rate_limited(wait: float) -> RateLimited:
    return RateLimited(
        "too many requests; wait a moment", retry_after_ms=max(1, math.ceil(wait * 1000))
    )
