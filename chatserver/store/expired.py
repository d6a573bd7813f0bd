"""Deleting what has a `hash` and an end."""

from datetime import datetime

from sqlalchemy import Connection, Table, delete, select


def forget_expired(connection: Connection, table: Table, before: datetime, limit: int) -> int:
    """Deletes up to `limit` rows that expired before then; returns how many.

    What another instance is about to delete is passed over: nobody waits for anybody.
    """
    row = table.c
    ended = (
        select(row.hash)
        .where(row.expires_at < before)
        .order_by(row.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    digests = connection.scalars(ended).all()
    if digests:
        connection.execute(delete(table).where(row.hash.in_(digests)))
    return len(digests)
