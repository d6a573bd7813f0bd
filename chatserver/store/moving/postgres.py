"""A PostgreSQL database as source or target."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import Table

from chatserver.store.migrate import UNFINISHED_COPY
from chatserver.store.moving.errors import SideFailed, TargetInUse, Unstorable
from chatserver.store.moving.sides import READ_ROWS, require_room
from chatserver.store.moving.tables import (
    Row,
    all_tables,
    from_postgres,
    quoted,
    selection,
    to_postgres,
    unfit,
)
from chatserver.store.postgres.failures import Trouble, hush, trouble

COPYING = 0x636F7079696E67
"""The advisory lock of PostgreSQL that a copy holds on its target."""
PATIENCE_SECONDS = 5.0
"""How long those are waited for who are just leaving: a copy that was killed, a stopped server."""
PAUSE_SECONDS = 0.1

OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"


class PostgresSide:
    """On one connection, which is closed by whoever opened it. Asyncpg's own: SQLAlchemy has no
    COPY.
    """

    def __init__(self, connection: Any, shown: str) -> None:
        self._connection = connection
        self.shown = shown

    async def revision(self) -> str | None:
        """None: it is no database of ours."""
        with self._asked():
            if "alembic_version" not in await self._tables():
                return None
            found = await self._connection.fetchval("SELECT version_num FROM alembic_version")
        return found and str(found)

    async def copy_of(self) -> str | None:
        """Of what it is the unfinished copy."""
        with self._asked():
            if UNFINISHED_COPY not in await self._tables():
                return None
            found = await self._connection.fetchval(f"SELECT source FROM {UNFINISHED_COPY}")
        return found and str(found)

    async def require_alone(self) -> None:
        """Nobody else may be at work here, then or later. Raises `TargetInUse`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._asked():
            while not await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", COPYING):
                await self._pause(deadline, "another copy")
            while others := await self._connection.fetchval(OTHERS):
                await self._pause(deadline, f"{others} other connections")

    async def _pause(self, deadline: float, who: str) -> None:
        if time.monotonic() >= deadline:
            raise TargetInUse(who)
        await asyncio.sleep(PAUSE_SECONDS)

    async def require_room(self, source: str) -> None:
        with self._asked():
            tables = await self._tables()
            filled = {
                each.name: await self._connection.fetchval(
                    f'SELECT EXISTS(SELECT 1 FROM "{each.name}")'
                )
                for each in all_tables()
                if each.name in tables
            }
        require_room(tables, filled, await self.copy_of(), source)

    async def count(self, table: Table) -> int:
        with self._asked():
            return int(await self._connection.fetchval(f'SELECT count(*) FROM "{table.name}"'))

    async def begin_snapshot(self) -> None:
        """All that is read from now on is of this moment. Ends with the connection."""
        with self._asked():
            await self._connection.transaction(isolation="repeatable_read", readonly=True).start()

    async def rows(self, table: Table) -> AsyncGenerator[Row, None]:
        convert = from_postgres(table)
        query = selection(table, ' COLLATE "C"')
        with self._asked():
            # Within the snapshot of a source this is a mere savepoint.
            async with self._connection.transaction():
                async for record in self._connection.cursor(query, prefetch=READ_ROWS):
                    yield convert(record)

    async def claim(self, source: str) -> bool:
        if await self.copy_of() is not None:
            return False
        with self._asked():
            async with self._connection.transaction():
                execute = self._connection.execute
                await execute(f"CREATE TABLE {UNFINISHED_COPY} (source text NOT NULL)")
                await execute(f"INSERT INTO {UNFINISHED_COPY} VALUES ($1)", source)
        return True

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        try:
            convert = to_postgres(table)
            with self._asked():
                await self._connection.copy_records_to_table(
                    table.name,
                    columns=table.columns.keys(),
                    records=[convert(row) for row in rows],
                )
        except (SideFailed, ValueError, TypeError, OverflowError) as failure:
            cause = failure.__cause__ if isinstance(failure, SideFailed) else None
            if cause is not None and trouble(cause) not in (None, Trouble.CLASH):
                raise
            culprits = filter(None, (unfit(table, row) for row in rows))
            raise Unstorable(next(culprits, f"{table.name}: {failure}")) from None

    async def clear(self) -> None:
        with self._asked():
            await self._connection.execute(f"TRUNCATE {quoted(t.name for t in all_tables())}")

    async def finish(self) -> None:
        with self._asked():
            for table in all_tables():
                # Servers start at once; they should not plan as if there were nothing.
                await self._connection.execute(f'ANALYZE "{table.name}"')
            await self._connection.execute(f"DROP TABLE {UNFINISHED_COPY}")

    async def _tables(self) -> set[str]:
        return {record[0] for record in await self._connection.fetch(TABLES)}

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as failure:
            hush(failure)
            raise SideFailed(self.shown, str(failure) or type(failure).__name__) from failure
