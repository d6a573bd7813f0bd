"""What became of a transaction whose commit got no answer."""

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

MARK = text("SELECT pg_current_xact_id_if_assigned()::text, pg_postmaster_start_time()::text")
STATUS = text("SELECT pg_xact_status(CAST(:xid AS xid8)), pg_postmaster_start_time()::text")


@dataclass(frozen=True, slots=True)
class Mark:
    """By which a transaction is found again. One that wrote nothing has no `xid`."""

    xid: str | None
    server: str


async def mark(connection: AsyncConnection) -> Mark:
    """To be taken at the end of a transaction, before its commit."""
    return Mark(*(await connection.execute(MARK)).one())


async def committed(
    engine: AsyncEngine, marked: Mark, events: list[Event], deadline: float
) -> bool | None:
    """Whether the transaction was committed; None where that cannot be found out in time.

    PostgreSQL remembers the fate of a transaction's id. That it "aborted" is always so. Of a server
    that crashed, "committed" may be said of a later transaction that got the id of one whose traces
    were lost; so what this one appended is looked for, and if that was nothing, a server that was
    started since is not believed. (What is left is an id that is used again by a server which one
    of its own processes took down with it, by a transaction that appended nothing.)
    """
    while True:
        try:
            async with engine.connect() as connection:
                status, server = (await connection.execute(STATUS, {"xid": marked.xid})).one()
                if status == "committed":
                    if events:
                        last = events[-1]
                        found = await connection.run_sync(
                            lambda sync: LogRows(sync, []).get(last.session_id, last.seq)  # noqa: B023
                        )
                        return found is not None and _same(found, last)
                    return True if server == marked.server else None
                if status != "in progress":
                    return False if status == "aborted" else None
        except (DBAPIError, OSError, TimeoutError) as failure:
            if "is in the future" in str(failure):  # the id was lost with all it did
                return False
            if trouble(failure) is not Trouble.LOST:
                return None
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(PAUSE)


def _same(found: Event, ours: Event) -> bool:
    return (found.type, found.sender.id, found.created_at) == (
        ours.type,
        ours.sender.id,
        ours.created_at,
    )
