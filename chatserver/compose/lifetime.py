"""From a database that somebody named to an open store, and back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from chatserver.chat.desk import ReplyDesk
from chatserver.chat.upkeep import UpkeepDesk
from chatserver.compose.closing import Closing, close_all
from chatserver.compose.core import Core
from chatserver.compose.database import prepare
from chatserver.compose.upkeep import upkeep
from chatserver.realtime.instances import Instances

log = structlog.get_logger(__name__)


@asynccontextmanager
async def opened(
    core: Core, desk: ReplyDesk, instances: Instances | None, parts: Sequence[Closing]
) -> AsyncIterator[None]:
    """The core's store, ready for work; in the end closes `parts` and the core's.

    Raises, having touched nothing, `RedisRefused`, `DatabaseInUse`, and what `prepare` raises.
    """
    place = core.place
    if instances:
        await instances.require()
    place.acquire()
    try:
        await prepare(place, core.settings)
        core.store.open()
        # Where other instances may be at work, what a dead one ran is found by its lease.
        recovered = await desk.recover() if place.exclusive else 0
        log.info("store_open", database=place.shown, replies_recovered=recovered)
        core.roster.report_unconfigured()
        async with upkeep(UpkeepDesk(store=core.store, clock=core.clock)):
            yield
    finally:
        try:
            await close_all([*parts, *core.parts])
        finally:
            place.release()
