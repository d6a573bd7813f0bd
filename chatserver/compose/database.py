"""The database that the settings name."""

from chatserver.settings import Settings
from chatserver.store.open import Database, database_at
from chatserver.store.postgres.connections import PostgresLimits


def database(settings: Settings) -> Database:
    """Where the settings say that everything is stored. Raises `UnsupportedDatabase`."""
    limits = PostgresLimits(
        connections=settings.database_connections,
        statement_seconds=settings.database_statement_seconds,
        lock_seconds=settings.database_lock_seconds,
        patience_seconds=settings.database_patience_seconds,
    )
    return database_at(settings.database_url, limits)
