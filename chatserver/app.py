"""The composition root: everything is made here, once, and handed what it needs."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from aiohttp import web

from chatserver import __version__
from chatserver.addresses import Network, parse_networks
from chatserver.bot_settings import (
    built_in_bots,
    declared_bots,
    default_bot,
    summary_bot,
    windows,
)
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.model import ModelBot, ModelBotFactory
from chatserver.bots.registry import BotRegistry
from chatserver.bots.roster import Roster
from chatserver.chat.desk import ReplyDesk
from chatserver.chat.memory import MemoryKeeper
from chatserver.chat.ports import Bot, Clock, Store
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.chat.titles import TitleDesk
from chatserver.gateways import headers, health, pages, rest
from chatserver.observability.clock import SystemClock
from chatserver.observability.metrics import Metrics
from chatserver.observability.model_use import ModelUse
from chatserver.realtime.bus_redis.address import parse_address
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.instances import Instances
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.namespace import ChatNamespace
from chatserver.realtime.server import ChatSocketServer
from chatserver.replies.folds import MemoryFolds
from chatserver.replies.pool import ReplyPool
from chatserver.replies.run import RunLimits
from chatserver.replies.titles import SessionTitles
from chatserver.settings import Settings
from chatserver.store.open import Database, OpenableStore, database_at
from chatserver.store.postgres.connections import PostgresLimits
from chatserver.summaries.extractive import ExtractiveSummarizer
from chatserver.summaries.model import ModelSummarizer
from chatserver.summaries.titles import FirstWordsTitler, ModelTitler

if TYPE_CHECKING:
    from chatserver.bots.openai.analyst import OpenAiAnalyst

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.0005
"""How long the event loop may keep the interpreter while the writer's thread waits for it.

Python's 5 ms would be added to each statement of a commit whenever the loop is busy.
"""


class Closing(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of a running server that its operators, tests and gateways reach for."""

    settings: Settings
    store: OpenableStore
    service: ChatService
    feed: RoomFeed
    pool: ReplyPool
    namespace: ChatNamespace
    sockets: ChatSocketServer
    metrics: Metrics
    roster: Roster
    parts: tuple[Closing, ...]
    """What holds tasks, threads or connections, in the order of its end."""

    async def close(self) -> None:
        """Once nobody asks any more. A part that cannot be closed keeps none of the others open."""
        async with AsyncExitStack() as stack:
            for part in reversed(self.parts):
                stack.push_async_callback(part.close)


SERVER = web.AppKey("server", Server)


def database(settings: Settings) -> Database:
    """Where the settings say that everything is stored. Raises `UnsupportedDatabase`."""
    limits = PostgresLimits(
        connections=settings.database_connections,
        statement_seconds=settings.database_statement_seconds,
        lock_seconds=settings.database_lock_seconds,
        patience_seconds=settings.database_patience_seconds,
    )
    return database_at(settings.database_url, limits)


def create_app(
    settings: Settings,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
) -> web.Application:
    """A complete server. `bots` take the place of the built-in ones, `model_bots` of the adapters.

    Raises `BadRedisUrl`, `UnsupportedDatabase`, `BadBotsFile`, `UnknownDefaultBot`,
    `UnknownSummaryBot`, `EmptyCorpus` or `ValueError` for settings that cannot work; on start-up
    `DatabaseInUse`, `DatabaseRefused` or `SchemaTooNew`.
    """
    app = web.Application(client_max_size=settings.frame_bytes)
    trusted_proxies = parse_networks(settings.trusted_proxies)
    metrics, clock = Metrics(), SystemClock()
    place = database(settings)
    store = place.store(settings.limits(), metrics.committed)
    declared = declared_bots(settings)
    roster = Roster(
        bots if bots is not None else built_in_bots(settings),
        declared,
        model_bots or adapters(ModelUse(metrics)),
        settings.secret,
    )
    offline = ExtractiveSummarizer()
    # Who puts doubles in place of the models wants no other asked.
    analyst = None if model_bots else _analyst(settings, declared, ModelUse(metrics))
    summarizer = _summarizer(settings, analyst, offline, clock) if analyst else None
    titles = SessionTitles(
        TitleDesk(store=store, clock=clock),
        ModelTitler(analyst) if analyst else FirstWordsTitler(),
    )
    registry = BotRegistry(roster.bots, default_bot(settings, declared))
    limits = _connection_limits(settings)
    sockets = ChatSocketServer(
        limits=limits,
        allowed_origins=settings.allowed_origins,
        trusted_proxies=trusted_proxies,
        metrics=metrics,
    )
    instances = _instances(settings, sockets, store, metrics)
    feed = instances.feed if instances else RoomFeed(sockets.rooms_manager, store, metrics)
    desk = ReplyDesk(
        store=store,
        feed=feed,
        clock=clock,
        lease=timedelta(seconds=settings.reply_lease_seconds),
        window=windows(settings, declared),
        max_takeovers=settings.reply_takeovers,
        limits=settings.limits(),
    )
    folds = MemoryFolds(keeper=MemoryKeeper(store, clock), bots=roster.remembering, metrics=metrics)
    pool = ReplyPool(
        desk=desk,
        feed=feed,
        bots=registry,
        metrics=metrics,
        concurrency=settings.replies_concurrency,
        limits=RunLimits(settings.reply_seconds, settings.reply_chars),
        listeners=[folds.answered, *([titles.answered] if settings.titles else [])],
    )
    pools = instances.pools(pool) if instances else pool
    service = ChatService(
        store=store,
        feed=feed,
        bots=registry,
        nudge=pools,
        summarizer=summarizer or offline,
        clock=clock,
        limits=settings.limits(),
    )
    namespace = ChatNamespace(
        server=sockets,
        service=service,
        feed=feed,
        metrics=metrics,
        clock=clock,
        limits=limits,
        server_info={
            "name": settings.app_name,
            "version": __version__,
            "default_bot": registry.default or "",
        },
        shown_limits={
            "text_chars": settings.text_chars,
            "frame_bytes": settings.frame_bytes,
            "events_burst": settings.events_burst,
        },
    )
    # The feed first: a reply may start only after its prompt was delivered.
    store.subscribe(feed.committed)
    store.subscribe(pools.committed)
    metrics.watch("store_pending", "Writes that wait for a commit", lambda: store.pending)
    metrics.watch("tasks", "Tasks of the event loop", lambda: len(asyncio.all_tasks()))
    sockets.attach(app, socketio_path="socket.io")
    used = (titles, summarizer, store, roster, analyst, offline)
    parts = tuple(part for part in used if part is not None)
    server = Server(
        settings, store, service, feed, pool, namespace, sockets, metrics, roster, parts
    )
    app[SERVER] = server
    # Before the drain below: who waits for a reply is answered before replies are handed back.
    checks = {"redis": instances.check} if instances else {}
    _add_gateways(app, server, clock, trusted_proxies, registry.default, checks)

    async def run_store(_: web.Application) -> AsyncIterator[None]:
        place.acquire()
        try:
            await asyncio.to_thread(place.migrate)
            store.open()
            # Where other instances may be at work, what a dead one ran is found by its lease.
            recovered = await desk.recover() if place.exclusive else 0
            log.info("store_open", database=place.shown, replies_recovered=recovered)
            roster.report_unconfigured()
            pool.start()
            yield
        finally:
            try:
                await server.close()
            finally:
                place.release()

    async def drain(_: web.Application) -> None:
        if namespace.draining:
            return
        log.info("draining")
        namespace.announce(settings.reconnect_after_ms)
        await pool.drain()
        await folds.close()
        await namespace.finish_events(settings.drain_seconds)
        await sockets.close_all()

    async def stop_timers(_: web.Application) -> None:
        await sockets.shutdown()

    app.cleanup_ctx.append(run_store)
    if instances:
        app.cleanup_ctx.append(instances.run)
    app.on_shutdown.append(drain)
    app.on_cleanup.append(stop_timers)
    return app


def _add_gateways(
    app: web.Application,
    server: Server,
    clock: Clock,
    trusted_proxies: tuple[Network, ...],
    default: str | None,
    checks: Mapping[str, health.Check],
) -> None:
    settings = server.settings
    rest.setup(
        app,
        chat=server.service,
        store=server.store,
        clock=clock,
        title=settings.app_name,
        version=__version__,
        tokens_per_minute=settings.tokens_per_minute,
        requests_per_second=settings.requests_per_second,
        body_bytes=settings.frame_bytes,
        json_depth=settings.json_depth,
        trusted_proxies=trusted_proxies,
        allowed_origins=settings.allowed_origins,
        observe=lambda operation, status: server.metrics.requests.labels(
            operation, str(status)
        ).inc(),
    )
    pages.setup(
        app,
        web_root=Path(__file__).parent / "_web",
        values={"app_name": settings.app_name, "default_bot": default or ""},
    )
    health.setup(
        app,
        checks={
            "store": server.store.ping,
            "accepting": server.namespace.require_accepting,
            **checks,
        },
        registry=server.metrics.registry,
    )
    headers.setup(app)


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Runs until SIGTERM or SIGINT, then drains (G9). `ready` is called with the URL.

    Raises `OSError` where the port cannot be had, and what `create_app` raises.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    runner = web.AppRunner(
        create_app(settings),
        access_log=None,
        shutdown_timeout=settings.drain_seconds,
        keepalive_timeout=settings.http_idle_seconds,
    )
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        host, port = runner.addresses[0][:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        await stop.wait()
        # Before the port is closed: polling clients must come once more to hear of it.
        await runner.app.shutdown()
    finally:
        await runner.cleanup()
        log.info("stopped")


@asynccontextmanager
async def service_beside(settings: Settings) -> AsyncIterator[ChatService]:
    """The use cases on the database of a server that may be running: for short commands.

    Nobody connected hears of what it changes. Raises what `create_app` raises, and `SchemaTooNew`.
    """
    server = create_app(settings)[SERVER]
    try:
        await asyncio.to_thread(database(settings).migrate)
        server.store.open()
        yield server.service
    finally:
        await server.close()


def _instances(
    settings: Settings, sockets: ChatSocketServer, store: Store, metrics: Metrics
) -> Instances | None:
    """How this instance is one of several; None: it is alone. Raises `BadRedisUrl`."""
    if settings.redis_url is None:
        return None
    address = parse_address(settings.redis_url.get_secret_value())
    return Instances(address, settings.redis_prefix, sockets.rooms_manager, store, metrics)


def adapters(observer: ModelUse) -> ModelBotFactory:
    """Makes the bot that a declaration's adapter names."""

    def make(declaration: ModelBotDeclaration, key: str | None) -> ModelBot:
        # Late: only servers with such a bot load the package that talks to its model.
        from chatserver.bots.openai import OpenAiBot

        return OpenAiBot(declaration, key, observer)

    return make


def _analyst(
    settings: Settings, declared: Sequence[ModelBotDeclaration], observer: ModelUse
) -> "OpenAiAnalyst | None":
    """Who writes summaries and titles where a model does."""
    bot = summary_bot(settings, declared)
    if bot is None:
        return None
    from chatserver.bots.openai.analyst import OpenAiAnalyst

    key = settings.secret(bot.key_variable) if bot.key_variable is not None else None
    return OpenAiAnalyst(bot, key, observer, settings.summary_seconds)


def _summarizer(
    settings: Settings, analyst: "OpenAiAnalyst", offline: ExtractiveSummarizer, clock: Clock
) -> ModelSummarizer:
    hourly = settings.summaries_per_participant_hour
    rate = RateLimiter(hourly / 3_600, hourly, clock) if hourly else None
    return ModelSummarizer(analyst, offline, seconds=settings.summary_seconds, rate=rate)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.connections,
        per_address=settings.connections_per_address,
        rooms=settings.rooms_per_connection,
        frame_bytes=settings.frame_bytes,
        json_depth=settings.json_depth,
        events_per_second=settings.events_per_second,
        events_burst=settings.events_burst,
        slow_events=settings.slow_events,
        authenticate_seconds=settings.authenticate_seconds,
        unsent_bytes=settings.unsent_bytes,
        compress_bytes=settings.compress_bytes,
        payload_packets=settings.payload_packets,
        attachments=0,
        ping_interval=settings.ping_interval_seconds,
        ping_timeout=settings.ping_timeout_seconds,
    )
