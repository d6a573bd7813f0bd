"""The database that the settings name, and its schema."""

import asyncio

from chatserver.settings import Settings
from chatserver.store.open import Database, PostgresDatabase, SqliteDatabase, database_at
from chatserver.store.postgres.connections import PostgresLimits


def database(settings: Settings) -> SqliteDatabase | PostgresDatabase:
    """Where the settings say that everything is stored. Raises `UnsupportedDatabase`."""
    limits = PostgresLimits(
        connections=settings.database_connections,
        statement_seconds=settings.database_statement_seconds,
        lock_seconds=settings.database_lock_seconds,
        patience_seconds=settings.database_patience_seconds,
    )
    return database_at(settings.database_url, limits)


async def prepare(place: Database, settings: Settings) -> None:
    """Sees to it that the database has the schema of this version.

    Raises, having changed nothing, `DatabaseRefused`, `SchemaTooNew`, `SchemaTooOld` or
    `UnfinishedCopy`, and SQLAlchemy's errors.
    """
    await asyncio.to_thread(place.migrate if settings.migrate else place.require_current)
