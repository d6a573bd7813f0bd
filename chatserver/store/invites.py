"""The `invite` table."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from chatserver.store import schema
from chatserver.store.expired import forget_expired

INVITE = schema.invite.c


class InviteRows:
    """`chat.ports.Invites`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, digest: bytes, session_id: str, created_by: str, at: datetime, until: datetime
    ) -> None:
        self._connection.execute(
            schema.invite.insert().values(
                hash=digest,
                session=session_id,
                created_by=created_by,
                created_at=at,
                expires_at=until,
            )
        )

    def valid(self, digest: bytes, session_id: str, now: datetime) -> bool:
        found = self._connection.scalar(
            select(INVITE.session).where(
                INVITE.hash == digest, INVITE.session == session_id, INVITE.expires_at > now
            )
        )
        return found is not None

    def count_valid(self, session_id: str, now: datetime) -> int:
        return (
            self._connection.scalar(
                select(func.count()).where(INVITE.session == session_id, INVITE.expires_at > now)
            )
            or 0
        )

    def revoke_all(self, session_id: str) -> None:
        self._connection.execute(delete(schema.invite).where(INVITE.session == session_id))

    def forget(self, before: datetime, limit: int) -> int:
        return forget_expired(self._connection, schema.invite, before, limit)
