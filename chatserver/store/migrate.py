"""Bringing a database to the schema this code needs."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chatserver.store.postgres.connections import Connect

T = TypeVar("T")
log = logging.getLogger(__name__)

MIGRATING = 0x6D696772617465
"""The advisory lock of PostgreSQL that one instance holds while others start."""

UNFINISHED_COPY = "unfinished_copy"
"""The table that marks a database which `chatserver copy` has not finished."""


class SchemaTooNew(Exception):
    """The database was migrated by a later version of this program."""


class SchemaTooOld(Exception):
    """The database was not yet migrated to this version, where it may not be done in passing."""


class UnfinishedCopy(Exception):
    """The database is a copy that lacks some of its rows. Says of what."""


def migrate(url: str, *, unfinished: bool = False) -> str | None:
    """Upgrades a SQLite database to the newest schema.

    Returns the revision there was before; None: it was empty.

    Raises, having changed nothing, `SchemaTooNew` where the database knows a revision that this
    code does not, and `UnfinishedCopy` unless it may be `unfinished`; SQLAlchemy's errors where the
    database cannot be opened.
    """
    with create_engine(url, poolclass=NullPool).connect() as connection:
        before = upgrade(connection, unfinished=unfinished)
        connection.commit()
    return before


def migrate_postgres(connect: Connect, *, unfinished: bool = False) -> str | None:
    """The same for PostgreSQL, in a thread without an event loop. All instances may do it at once.

    Waits, however long it takes, for another that is under way; and says so in the log.
    One transaction, whatever number of revisions: a failure changes nothing.
    """

    def work(connection: Connection) -> str | None:
        before = _revision(connection)
        if before == _scripts().get_current_head():  # nothing that others would have to wait for
            if not unfinished:
                _require_finished(connection)
            return before
        if not connection.scalar(select(func.pg_try_advisory_xact_lock(MIGRATING))):
            log.warning("waiting for another migration of the database")
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        before = upgrade(connection, unfinished=unfinished)
        connection.commit()
        return before

    return _on_postgres(connect, work)


def revision(file: Path) -> str | None:
    """That of a SQLite database, which is only read; None: it is empty.

    Raises `UnfinishedCopy`, and SQLAlchemy's errors where there is none; makes none.
    """
    connect = partial(sqlite3.connect, f"{file.as_uri()}?mode=ro", uri=True)
    with create_engine("sqlite://", creator=connect, poolclass=NullPool).connect() as connection:
        return _finished_revision(connection)


def revision_postgres(connect: Connect) -> str | None:
    """The same for PostgreSQL, in a thread without an event loop."""
    return _on_postgres(connect, _finished_revision)


def _on_postgres(connect: Connect, work: Callable[[Connection], T]) -> T:
    async def run() -> T:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=connect, poolclass=NullPool
        )
        async with engine.connect() as connection:
            return await connection.run_sync(work)

    return asyncio.run(run())


def upgrade(connection: Connection, *, unfinished: bool = False) -> str | None:
    """Without a commit. Returns and raises as `migrate`."""
    before = _revision(connection)
    if before is not None and before not in _known(_scripts()):
        raise SchemaTooNew(before)
    if not unfinished:
        _require_finished(connection)
    if before != _scripts().get_current_head():
        command.upgrade(alembic_config(connection), "head")
    return before


def require_current(revision: str | None) -> None:
    """For who may not migrate. Raises `SchemaTooNew`, `SchemaTooOld`."""
    scripts = _scripts()
    if revision is not None and revision not in _known(scripts):
        raise SchemaTooNew(revision)
    if revision != scripts.get_current_head():
        raise SchemaTooOld(revision or "none")


def alembic_config(connection: Connection) -> Config:
    config = _config()
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _finished_revision(connection: Connection) -> str | None:
    _require_finished(connection)
    return _revision(connection)


def _require_finished(connection: Connection) -> None:
    if inspect(connection).has_table(UNFINISHED_COPY):
        raise UnfinishedCopy(connection.scalar(text(f"SELECT source FROM {UNFINISHED_COPY}")))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    """Reading and running them takes longer than all else of a start."""
    return ScriptDirectory.from_config(_config())


def _known(scripts: ScriptDirectory) -> set[str]:
    return {script.revision for script in scripts.walk_revisions()}
