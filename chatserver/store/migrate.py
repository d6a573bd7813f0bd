"""Bringing a database to the schema this code needs."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chatserver.store.postgres.connections import Connect

MIGRATING = 0x6D696772617465
"""The advisory lock of PostgreSQL that one instance holds while others start."""


class SchemaTooNew(Exception):
    """The database was migrated by a later version of this program."""


def migrate(url: str) -> str | None:
    """Upgrades a SQLite database to the newest schema.

    Returns the revision there was before; None: it was empty.

    Raises `SchemaTooNew`, having changed nothing, where the database knows a revision that this
    code does not; SQLAlchemy's errors where the database cannot be opened.
    """
    with create_engine(url, poolclass=NullPool).connect() as connection:
        before = upgrade(connection)
        connection.commit()
    return before


def migrate_postgres(connect: Connect) -> str | None:
    """The same for PostgreSQL, in a thread without an event loop. All instances may do it at once.

    One transaction, whatever number of revisions: a failure changes nothing.
    """

    def work(connection: Connection) -> str | None:
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        before = upgrade(connection)
        connection.commit()
        return before

    async def run() -> str | None:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=connect, poolclass=NullPool
        )
        async with engine.connect() as connection:
            return await connection.run_sync(work)

    return asyncio.run(run())


def upgrade(connection: Connection) -> str | None:
    """Without a commit. Returns and raises as `migrate`."""
    before = MigrationContext.configure(connection).get_current_revision()
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise SchemaTooNew(before)
    command.upgrade(config, "head")
    return before


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
