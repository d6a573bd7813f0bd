"""The `token` and `participant` tables."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from chatserver.chat.models import Participant
from chatserver.chat.ports import TokenRecord
from chatserver.store import schema
from chatserver.store.expired import forget_expired

T, P = schema.token.c, schema.participant.c


class TokenRows:
    """`chat.ports.Tokens`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, digest: bytes, participant: Participant, at: datetime, until: datetime) -> None:
        self.ensure_participant(participant, at)
        self._connection.execute(
            schema.token.insert().values(
                hash=digest, participant=participant.id, created_at=at, expires_at=until
            )
        )

    def find(self, digest: bytes) -> TokenRecord | None:
        found = self._connection.execute(
            select(P.id, P.name, P.kind, T.expires_at, T.revoked_at)
            .join_from(schema.token, schema.participant, T.participant == P.id)
            .where(T.hash == digest)
        ).one_or_none()
        if found is None:
            return None
        return TokenRecord(
            participant=Participant(id=found.id, name=found.name, kind=found.kind),
            expires_at=found.expires_at,
            revoked=found.revoked_at is not None,
        )

    def extend(self, digest: bytes, until: datetime) -> None:
        self._connection.execute(
            update(schema.token).where(T.hash == digest).values(expires_at=until)
        )

    def revoke(self, digest: bytes, at: datetime) -> None:
        self._connection.execute(update(schema.token).where(T.hash == digest).values(revoked_at=at))

    def forget(self, before: datetime, limit: int) -> int:
        return forget_expired(self._connection, schema.token, before, limit)

    def ensure_participant(self, participant: Participant, at: datetime) -> None:
        known = self._connection.scalar(select(P.id).where(P.id == participant.id))
        if known is None:
            self._connection.execute(
                schema.participant.insert().values(**participant.model_dump(), created_at=at)
            )
