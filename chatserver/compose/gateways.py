"""The ways in, other than our own over Socket.IO."""

from pathlib import Path

from aiohttp import web

import chatserver
from chatserver import __version__
from chatserver.addresses import Network
from chatserver.chat.ports import Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.compose.core import Core
from chatserver.gateways import (
    chats,
    framed,
    headers,
    health,
    pages,
    plain,
    rasa,
    rest,
    token_sessions,
)
from chatserver.realtime.instances import Instances
from chatserver.realtime.server import ChatSocketServer

WEB_ROOT = Path(chatserver.__file__).parent / "_web"


def add_gateways(
    app: web.Application,
    core: Core,
    service: ChatService,
    visitors: Visitors,
    sockets: ChatSocketServer,
    trusted_proxies: tuple[Network, ...],
) -> None:
    """REST, pages, and the doors for other clients."""
    settings = core.settings
    # One for all ways to a token.
    token_rate = RateLimiter(
        settings.tokens_per_minute / 60, settings.tokens_per_minute, core.clock
    )
    silence_seconds = settings.ping_interval_seconds + settings.ping_timeout_seconds
    bounds = rest.setup(
        app,
        chat=service,
        store=core.store,
        visitors=visitors,
        clock=core.clock,
        title=settings.app_name,
        version=__version__,
        others=(chats.API,),
        token_rate=token_rate,
        requests_per_second=settings.requests_per_second,
        body_bytes=settings.frame_bytes,
        json_depth=settings.json_depth,
        keep_alive_seconds=settings.ping_interval_seconds,
        silence_seconds=silence_seconds,
        trusted_proxies=trusted_proxies,
        allowed_origins=settings.allowed_origins,
        observe=lambda operation, status: core.metrics.requests.labels(
            operation, str(status)
        ).inc(),
    )
    chats.setup(app, bounds=bounds, guests=settings.guests != "off")
    framed.setup(
        app,
        chat=service,
        visitors=visitors,
        guests=settings.guests != "off",
        token_rate=token_rate,
        frame_bytes=settings.frame_bytes,
        ping_seconds=settings.ping_interval_seconds,
        silence_seconds=silence_seconds,
        trusted_proxies=trusted_proxies,
        allowed_origins=settings.allowed_origins,
    )
    token_sessions.setup(
        app,
        chat=service,
        token_rate=token_rate,
        request_rate=bounds.request_rate,
        trusted_proxies=trusted_proxies,
        allowed_origins=settings.allowed_origins,
    )
    plain.setup(
        app,
        chat=service,
        visitors=visitors,
        guests=settings.guests,
        token_rate=token_rate,
        thinking_notice=settings.thinking_notice,
        frame_bytes=settings.frame_bytes,
        ping_seconds=settings.ping_interval_seconds,
        silence_seconds=silence_seconds,
        trusted_proxies=trusted_proxies,
        allowed_origins=settings.allowed_origins,
    )
    if settings.rasa_namespace:
        rasa.setup(
            sockets,
            chat=service,
            visitors=visitors,
            clock=core.clock,
            metrics=core.metrics,
            token_rate=token_rate,
            events_per_second=settings.events_per_second,
            events_burst=settings.events_burst,
        )
    pages.setup(
        app,
        web_root=WEB_ROOT,
        values={"app_name": settings.app_name, "default_bot": core.bots.default or ""},
    )


def add_health(
    app: web.Application, core: Core, instances: Instances | None, **checks: health.Check
) -> None:
    """What machines ask, and headers on all that `app` answers."""
    known: dict[str, health.Check] = {"store": core.store.ping}
    if instances:
        known["redis"] = instances.check
    health.setup(app, checks=known | checks, registry=core.metrics.registry)
    headers.setup(app)
