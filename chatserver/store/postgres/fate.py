"""What became of a transaction whose commit got no answer.

PostgreSQL remembers the fate of a transaction's id (`pg_xact_status`). "Aborted" is always true.
"Committed" is not, of a server that crashed meanwhile: an id whose traces were not on disk yet is
given again, and may by now be another's (seen with kill -9). Then what the transaction appended is
looked for, and one that appended nothing is not believed to have been committed.
"""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatserver.chat.models import Event
from chatserver.store.log import LogRows
from chatserver.store.postgres.failures import Trouble, trouble

PAUSE = 0.1

XID = text("SELECT pg_current_xact_id_if_assigned()::text")
STATUS = text("SELECT pg_xact_status(CAST(CAST(:xid AS text) AS xid8))")
LIFE = text("""
SELECT pg_postmaster_start_time(), coalesce(array_agg(pid), '{}')
FROM pg_stat_activity WHERE datid IS NULL AND usesysid IS NULL
""")
"""With the ids of the server's own processes: all of them die in a crash, and some in nothing else.
Everybody may see these columns."""
KNOWN_LIFE = "life"


@dataclass(frozen=True, slots=True)
class Life:
    """A server from its start or crash to the next."""

    started: object
    processes: frozenset[int]

    def same(self, other: "Life") -> bool:
        return self.started == other.started and bool(self.processes & other.processes)


@dataclass(frozen=True, slots=True)
class Mark:
    """By which a transaction is found again. One that wrote nothing has no `xid`."""

    xid: str | None
    life: Life


async def mark(connection: AsyncConnection) -> Mark:
    """To be taken at the end of a transaction, before its commit."""
    return Mark(await connection.scalar(XID), await _life(connection))


async def committed(
    engine: AsyncEngine, marked: Mark, events: list[Event], deadline: float
) -> bool | None:
    """Whether the transaction, which appended `events`, was committed.

    None where that cannot be found out in time.
    """
    while True:
        try:
            async with engine.connect() as connection:
                status = await connection.scalar(STATUS, {"xid": marked.xid})
                if status == "aborted":
                    return False
                if status == "committed":
                    if marked.life.same(await _life(connection)):
                        return True
                    return await _is_there(connection, events[-1]) if events else None
                if status != "in progress":
                    return None
        except (DBAPIError, OSError, TimeoutError) as failure:
            if "is in the future" in str(failure):  # the id was lost with all it did
                return False
            if trouble(failure) is not Trouble.LOST:
                return None
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(PAUSE)


async def _life(connection: AsyncConnection) -> Life:
    """A connection lives no longer than its server, so it is asked once for each."""
    known = (await connection.get_raw_connection()).info
    if KNOWN_LIFE not in known:
        started, processes = (await connection.execute(LIFE)).one()
        known[KNOWN_LIFE] = Life(started, frozenset(processes))
    life = known[KNOWN_LIFE]
    assert isinstance(life, Life)
    return life


async def _is_there(connection: AsyncConnection, event: Event) -> bool:
    found = await connection.run_sync(
        lambda sync: LogRows(sync, []).get(event.session_id, event.seq)
    )
    return found is not None and (
        (found.type, found.sender.id, found.created_at)
        == (event.type, event.sender.id, event.created_at)
    )
