"""Running an application until a signal ends it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from chatserver.settings import Settings

log = structlog.get_logger(__name__)


def end_at_signals() -> None:
    """Until `stop_signal`, SIGTERM and SIGINT end this process at once.

    A start may wait for long, in threads too, and has done nothing that would have to be ended in
    order: what it had begun to change is rolled back as after any death.
    """
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    return stop


@asynccontextmanager
async def running(app: web.Application, settings: Settings, port: int | None) -> AsyncIterator[str]:
    """Starts `app` and listens, where there is a `port`. Yields the URL; empty: there is none.

    Raises `OSError` where the port cannot be had, and whatever the start of `app` raises.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=settings.drain_seconds,
        keepalive_timeout=settings.http_idle_seconds,
    )
    try:
        await runner.setup()
        if port is None:
            yield ""
            return
        await web.TCPSite(runner, settings.host, port, backlog=1024).start()
        host, number = runner.addresses[0][:2]
        yield f"http://{f'[{host}]' if ':' in host else host}:{number}"
    finally:
        await runner.cleanup()
        log.info("stopped")
