"""The server: clients come in here, are heard, and are answered."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aiohttp import web

from chatserver import __version__
from chatserver.addresses import parse_networks
from chatserver.bots.model import ModelBotFactory
from chatserver.chat.ports import Bot
from chatserver.chat.service import ChatService
from chatserver.compose.connections import connection_limits, connections_of
from chatserver.compose.core import Core, core_of
from chatserver.compose.gateways import add_gateways, add_health
from chatserver.compose.instances import instances_of
from chatserver.compose.lifetime import opened
from chatserver.compose.models import summarizers
from chatserver.compose.replying import replying
from chatserver.compose.running import end_at_signals, running, stop_signal
from chatserver.compose.service import service_of
from chatserver.gateways import leaving
from chatserver.observability.metrics import Metrics
from chatserver.realtime.connections import Connections
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.namespace import ChatNamespace
from chatserver.realtime.server import ChatSocketServer
from chatserver.realtime.visitors import Visitors
from chatserver.replies.pool import ReplyPool
from chatserver.settings import Settings
from chatserver.store.open import OpenableStore

log = structlog.get_logger(__name__)

SAME_SIGNAL_SECONDS = 0.3
"""Signals that come so soon after each other are one."""
SWITCH_SECONDS = 0.0005
"""How long the event loop may keep the interpreter while the writer's thread waits for it.

Python's 5 ms would be added to each statement of a commit whenever the loop is busy.
"""


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of a running server that its operators, tests and gateways reach for."""

    core: Core
    service: ChatService
    feed: RoomFeed
    pool: ReplyPool
    connections: Connections
    visitors: Visitors
    sockets: ChatSocketServer

    @property
    def settings(self) -> Settings:
        return self.core.settings

    @property
    def store(self) -> OpenableStore:
        return self.core.store

    @property
    def metrics(self) -> Metrics:
        return self.core.metrics


SERVER = web.AppKey("server", Server)


def create_app(
    settings: Settings,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
) -> web.Application:
    """A complete server. `bots` take the place of the built-in ones, `model_bots` of the adapters.

    Raises what `core_of` raises, `BadRedisUrl`, or `BadNetwork` for trusted proxies that are no
    addresses; on start-up what `opened` raises.
    """
    app = web.Application(client_max_size=settings.frame_bytes)
    trusted_proxies = parse_networks(settings.trusted_proxies)
    core = core_of(settings, bots, model_bots)
    limits = connection_limits(settings)
    sockets = ChatSocketServer(
        limits=limits,
        allowed_origins=settings.allowed_origins,
        trusted_proxies=trusted_proxies,
        metrics=core.metrics,
        instance=settings.instance_name,
    )
    instances = instances_of(core, sockets.rooms_manager)
    feed = (
        instances.feed if instances else RoomFeed(sockets.rooms_manager, core.store, core.metrics)
    )
    replies = replying(core, feed)
    pools = instances.pools(replies.pool) if instances else replies.pool
    summarizer, summarizing = summarizers(settings, core.analyst, core.clock)
    service = service_of(core, feed, pools, summarizer)
    connections = connections_of(core, service, feed, sockets.rooms_manager, limits)
    visitors = Visitors(
        connections, sockets.rooms_manager, sockets.census, core.metrics, limits.unsent_bytes
    )
    _namespace(core, connections, sockets)
    # The feed first: a reply may start only after its prompt was delivered.
    core.store.subscribe(feed.committed)
    core.store.subscribe(pools.committed)
    sockets.attach(app, socketio_path="socket.io")
    app[SERVER] = Server(core, service, feed, replies.pool, connections, visitors, sockets)
    # Before the drain below: who waits for a reply is answered before replies are handed back.
    add_gateways(app, core, service, visitors, sockets, trusted_proxies)
    add_health(app, core, instances, accepting=connections.require_staying)
    leaving.setup(app, lambda: connections.leaving)

    async def keep_open(_: web.Application) -> AsyncIterator[None]:
        async with opened(core, replies.desk, instances, [replies.titles, *summarizing]):
            yield

    async def start(_: web.Application) -> None:
        replies.pool.start()

    async def drain(_: web.Application) -> None:
        if connections.draining:
            return
        log.info("draining")
        sockets.refuse_new()
        connections.announce(settings.reconnect_after_ms, settings.reconnects_per_second)
        await replies.drain(settings.drain_seconds)
        await connections.finish(settings.drain_seconds)
        visitors.end_all()
        await sockets.close_all()

    async def stop_timers(_: web.Application) -> None:
        await sockets.shutdown()

    app.cleanup_ctx.append(keep_open)
    if instances:
        app.cleanup_ctx.append(instances.run)
    app.on_startup.append(start)
    app.on_shutdown.append(drain)
    app.on_cleanup.append(stop_timers)
    return app


def _namespace(core: Core, connections: Connections, sockets: ChatSocketServer) -> None:
    """The server keeps it."""
    settings = core.settings
    ChatNamespace(
        server=sockets,
        connections=connections,
        metrics=core.metrics,
        bots=core.bots.all(),
        server_info={
            "name": settings.app_name,
            "version": __version__,
            "default_bot": core.bots.default or "",
        },
        shown_limits={
            "text_chars": settings.text_chars,
            "frame_bytes": settings.frame_bytes,
            "events_burst": settings.events_burst,
        },
    )


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Runs until SIGTERM or SIGINT, then drains (G9). `ready` is called with the URL.

    During the start they end the process at once. Load balancers get `drain_notice_seconds` to look
    elsewhere; a second signal cuts them short. Raises what `running` and `create_app` raise.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    end_at_signals()
    app = create_app(settings)
    async with running(app, settings, settings.port) as url:
        stop = stop_signal()
        ready(url)
        await stop.wait()
        notice = settings.drain_notice_seconds
        # Who runs us may tell both a group of processes and its first one, which tells us again.
        await asyncio.sleep(min(SAME_SIGNAL_SECONDS, notice))
        stop.clear()
        app[SERVER].connections.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(notice):
                await stop.wait()
        # Before the port is closed: polling clients must come once more to hear of it.
        await app.shutdown()
