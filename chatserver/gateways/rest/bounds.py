"""What the APIs of a server go by together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatserver.addresses import Network
from chatserver.chat.rates import RateLimiter
from chatserver.gateways.rest.routes import Services

Observer = Callable[[str, int], None]
"""Told of the operation and the status of every answer."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the APIs of a server share: whom they serve, with what, and how much they take.

    `request_rate` counts by participant, and by address where there is no token.
    """

    services: Services
    request_rate: RateLimiter
    trusted_proxies: Sequence[Network]
    allowed_origins: Sequence[str]
    body_bytes: int
    json_depth: int
    observe: Observer
