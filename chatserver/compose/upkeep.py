"""When what has ended long ago is forgotten."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chatserver.chat.errors import Unavailable
from chatserver.chat.upkeep import UpkeepDesk
from chatserver.observability.crashes import traced

log = structlog.get_logger(__name__)

FIRST_SECONDS = (30.0, 90.0)
"""After the start: instances that start together do not look together."""
EVERY_SECONDS = 3600.0
PAUSE_SECONDS = 0.1
"""Between two transactions, so that others' come in between."""


@asynccontextmanager
async def upkeep(desk: UpkeepDesk, first_seconds: float | None = None) -> AsyncIterator[None]:
    """Forgets every hour. `first_seconds` after the start, drawn where it is not given."""
    first = random.uniform(*FIRST_SECONDS) if first_seconds is None else first_seconds
    task = asyncio.create_task(_run(desk, first), name="upkeep")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run(desk: UpkeepDesk, first_seconds: float) -> None:
    await asyncio.sleep(first_seconds)
    while True:
        is_more = False
        try:
            is_more = await desk.forget()
        except Unavailable:
            log.warning("upkeep_unavailable")
        except Exception as crash:
            log.error("upkeep_crashed", **traced(crash))
        await asyncio.sleep(PAUSE_SECONDS if is_more else EVERY_SECONDS)
