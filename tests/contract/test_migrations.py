"""Migrations build what the schema says, keep what is there, and leave later versions alone."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chatserver.chat.models import Reply, Session
from chatserver.store.migrate import MIGRATING, SchemaTooNew, alembic_config
from chatserver.store.open import Database, database_at
from chatserver.store.schema import metadata
from chatserver.store.transaction import SqlTransaction
from tests.postgres import PostgresServer

T = TypeVar("T")


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a table."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return asyncio.run(server.empty())


def on(url: str, work: Callable[[Connection], T]) -> T:
    """The result of `work`, committed."""
    if url.startswith("sqlite"):
        with create_engine(url, poolclass=NullPool).begin() as connection:
            return work(connection)

    async def run() -> T:
        engine = create_async_engine(
            url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool
        )
        async with engine.begin() as connection:
            return await connection.run_sync(work)

    return asyncio.run(run())


def differences(connection: Connection) -> Any:
    return compare_metadata(MigrationContext.configure(connection), metadata)


def test_the_migrations_build_what_the_schema_says(url: str) -> None:
    database = database_at(url)
    assert database.migrate() is None
    assert database.migrate() is not None
    assert on(url, differences) == []


def test_a_database_of_the_first_version_keeps_its_rows(url: str) -> None:
    def make(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "0001")
        moment = "1" if url.startswith("sqlite") else "to_timestamp(0.000001)"
        for statement in FIRST_VERSION:
            connection.exec_driver_sql(statement.format(moment=moment))

    def look(connection: Connection) -> tuple[Session | None, list[Reply], str | None]:
        tx = SqlTransaction(connection)
        asker = connection.scalar(text("SELECT asker FROM reply"))
        return tx.sessions.get("s"), tx.replies.active("s"), asker

    on(url, make)
    assert database_at(url).migrate() == "0001"
    session, (reply,), asker = on(url, look)
    assert session is not None
    assert (session.bot, session.bot_turns, session.last_seq) == ("echo", 0, 1)
    assert (reply.bot, reply.prompt_seq, asker) == ("echo", 1, "ada")
    assert on(url, differences) == []


FIRST_VERSION = (
    "INSERT INTO participant VALUES ('ada', 'Ada', 'user', {moment})",
    "INSERT INTO session VALUES ('s', 'Tea', 'private', 'always', 'echo', 'ada', {moment}, 1,"
    " {moment}, NULL)",
    "INSERT INTO event VALUES ('s', 1, 'message_created', 'ada', 'one', NULL, '{{}}', {moment},"
    " NULL)",
    "INSERT INTO reply (id, session, prompt_seq, bot, state, attempt, takeovers, stop_requested,"
    " partial, created_at) VALUES ('r', 's', 1, 'echo', 'queued', 0, 0, false, '', {moment})",
)
"""Rows as the first version wrote them."""


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    database_at(url).migrate()
    on(url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = 'later'")))
    with pytest.raises(SchemaTooNew):
        database_at(url).migrate()
    version = on(url, lambda c: c.scalar(text("SELECT version_num FROM alembic_version")))
    assert version == "later"


def test_who_needs_no_migration_waits_for_none(postgres: PostgresServer) -> None:
    url = asyncio.run(postgres.empty())
    database_at(url).migrate()

    async def migrate_beside_another() -> str | None:
        other = await asyncpg.connect(url)
        try:
            await other.execute("SELECT pg_advisory_lock($1)", MIGRATING)
            return await asyncio.wait_for(asyncio.to_thread(database_at(url).migrate), 10)
        finally:
            await other.close()

    assert asyncio.run(migrate_beside_another()) is not None


def test_instances_that_start_at_once_migrate_one_after_the_other(
    postgres: PostgresServer,
) -> None:
    url = asyncio.run(postgres.empty())
    databases: list[Database] = [database_at(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as starting:
        before = list(starting.map(lambda each: each.migrate(), databases))
    assert before.count(None) == 1
    assert on(url, differences) == []
