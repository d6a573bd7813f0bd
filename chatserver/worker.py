"""A program that runs replies alone, for servers that leave them to it."""

from collections.abc import AsyncIterator, Callable

import structlog
from aiohttp import web

from chatserver.bots.model import ModelBotFactory
from chatserver.chat.ports import Bot
from chatserver.compose.core import core_of
from chatserver.compose.gateways import add_health
from chatserver.compose.instances import instances_of
from chatserver.compose.lifetime import opened
from chatserver.compose.replying import Replying, replying
from chatserver.compose.running import end_at_signals, running, stop_signal
from chatserver.realtime.manager import RoomManager
from chatserver.settings import Settings

log = structlog.get_logger(__name__)


class NeedsSharedDatabase(Exception):
    """A SQLite file has one owner: the server that a worker was to work for."""


class NeedsRedis(Exception):
    """Nobody would be told what a worker writes."""


class NeedsReplies(Exception):
    """A worker that runs no reply has nothing to do."""


class Draining(Exception):
    """The worker is about to end."""


REPLYING = web.AppKey("replying", Replying)


def create_worker(
    settings: Settings,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
) -> web.Application:
    """Answers `/healthz`, `/readyz` and `/metrics`, wherever it is listened to, and nothing else.

    Raises `NeedsSharedDatabase`, `NeedsRedis`, `NeedsReplies`, `BadRedisUrl`, and what `core_of`
    raises; on start-up what `opened` raises.
    """
    if settings.replies_concurrency == 0:
        raise NeedsReplies
    core = core_of(settings, bots, model_bots)
    if core.place.exclusive:
        raise NeedsSharedDatabase
    # Nobody is in its rooms; what it says there leaves over the bus.
    instances = instances_of(core, RoomManager())
    if instances is None:
        raise NeedsRedis
    replies = replying(core, instances.feed)
    core.store.subscribe(instances.feed.committed)
    core.store.subscribe(instances.pools(replies.pool).committed)

    async def keep_open(_: web.Application) -> AsyncIterator[None]:
        async with opened(core, replies.desk, instances, [replies.titles]):
            yield

    async def start(_: web.Application) -> None:
        replies.pool.start()

    async def drain(_: web.Application) -> None:
        log.info("draining")
        await replies.drain(settings.drain_seconds)

    async def require_claiming() -> None:
        if replies.pool.draining:
            raise Draining

    app = web.Application()
    app[REPLYING] = replies
    add_health(app, core, instances, claiming=require_claiming)
    app.cleanup_ctx.append(keep_open)
    app.cleanup_ctx.append(instances.run)
    app.on_startup.append(start)
    app.on_shutdown.append(drain)
    return app


async def work(settings: Settings, ready: Callable[[str], None]) -> None:
    """Runs until SIGTERM or SIGINT, then hands back what is unfinished (G9).

    During the start they end the process at once. `ready` is called with the URL of the health
    checks, or with nothing. Raises what `running` and `create_worker` raise.
    """
    end_at_signals()
    async with running(create_worker(settings), settings, settings.worker_port) as url:
        stop = stop_signal()
        ready(url)
        await stop.wait()
