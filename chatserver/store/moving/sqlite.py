"""A SQLite file as source or target."""

import sqlite3
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Table

from chatserver.store.migrate import UNFINISHED_COPY
from chatserver.store.moving.errors import SideFailed, Unstorable
from chatserver.store.moving.sides import READ_ROWS, require_room
from chatserver.store.moving.tables import Row, all_tables, quoted, selection, unfit

BUSY_SECONDS = 10.0


class SqliteSide:
    """Between the constructor and `close`; whoever makes it holds the file's lock."""

    def __init__(self, path: Path, shown: str, *, readonly: bool) -> None:
        self.shown = shown
        with self._asked():
            # Never makes a file: a mistyped source must not come into being.
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_SECONDS
            )
            execute = self._connection.execute
            if readonly:
                execute("PRAGMA query_only=ON")
                execute("BEGIN")
            else:
                execute("PRAGMA journal_mode=WAL")
                execute("PRAGMA synchronous=FULL")
                execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        self._connection.close()

    async def revision(self) -> str | None:
        """None: it is no database of ours."""
        if "alembic_version" not in self._tables():
            return None
        with self._asked():
            found = self._connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return found and str(found[0])

    async def copy_of(self) -> str | None:
        """Of what it is the unfinished copy."""
        if UNFINISHED_COPY not in self._tables():
            return None
        with self._asked():
            found = self._connection.execute(f"SELECT source FROM {UNFINISHED_COPY}").fetchone()
        return found and str(found[0])

    async def require_room(self, source: str) -> None:
        tables = self._tables()
        filled = {
            each.name: bool(self._number(f'SELECT EXISTS(SELECT 1 FROM "{each.name}")'))
            for each in all_tables()
            if each.name in tables
        }
        require_room(tables, filled, await self.copy_of(), source)

    async def count(self, table: Table) -> int:
        return self._number(f'SELECT count(*) FROM "{table.name}"')

    async def rows(self, table: Table) -> AsyncGenerator[Row, None]:
        with self._asked():
            cursor = self._connection.execute(selection(table))
            while found := cursor.fetchmany(READ_ROWS):
                for row in found:
                    yield row

    async def claim(self, source: str) -> bool:
        if await self.copy_of() is not None:
            return False
        with self._transaction():
            self._connection.execute(f"CREATE TABLE {UNFINISHED_COPY} (source TEXT NOT NULL)")
            self._connection.execute(f"INSERT INTO {UNFINISHED_COPY} VALUES (?)", (source,))
        return True

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        names = table.columns.keys()
        marks = ", ".join("?" * len(names))
        try:
            with self._transaction():
                self._connection.executemany(
                    f'INSERT INTO "{table.name}" ({quoted(names)}) VALUES ({marks})', rows
                )
        except SideFailed as failure:
            if isinstance(failure.__cause__, sqlite3.IntegrityError):
                culprits = filter(None, (unfit(table, row) for row in rows))
                raise Unstorable(next(culprits, f"{table.name}: {failure}")) from None
            raise

    async def clear(self) -> None:
        with self._transaction():
            for table in reversed(all_tables()):
                self._connection.execute(f'DELETE FROM "{table.name}"')

    async def finish(self) -> None:
        with self._transaction():
            self._connection.execute(f"DROP TABLE {UNFINISHED_COPY}")
        with self._asked():
            self._connection.execute("PRAGMA optimize")

    def _tables(self) -> set[str]:
        with self._asked():
            found = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        return {name for (name,) in found}

    def _number(self, query: str) -> int:
        with self._asked():
            return int(self._connection.execute(query).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._asked():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as failure:
            raise SideFailed(self.shown, str(failure)) from failure
