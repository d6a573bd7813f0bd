"""The `member` table."""

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from chatserver.chat.models import Member, Participant, ParticipantKind, Role
from chatserver.store import schema

M, P, S = schema.member.c, schema.participant.c, schema.session.c


class MemberRows:
    """`chat.ports.Members`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def role(self, session_id: str, participant_id: str) -> Role | None:
        found = self._connection.scalar(
            select(M.role).where(
                M.session == session_id, M.participant == participant_id, M.left_at.is_(None)
            )
        )
        return None if found is None else Role(found)

    def all(self, session_id: str) -> list[Member]:
        rows = self._connection.execute(
            select(schema.member, P.id, P.name, P.kind)
            .join_from(schema.member, schema.participant, M.participant == P.id)
            .where(M.session == session_id, M.left_at.is_(None))
            .order_by(M.joined_at, P.id)
        )
        return [
            Member(
                participant=Participant(id=row.id, name=row.name, kind=row.kind),
                role=row.role,
                joined_at=row.joined_at,
                read_seq=row.read_seq,
            )
            for row in rows
        ]

    def bots(self, session_id: str) -> list[str]:
        names = self._connection.scalars(
            select(P.name)
            .join_from(schema.member, schema.participant, M.participant == P.id)
            .where(M.session == session_id, M.left_at.is_(None), P.kind == ParticipantKind.BOT)
            .order_by(M.joined_at, P.id)
        )
        return list(names)

    def count(self, session_id: str) -> int:
        return (
            self._connection.scalar(
                select(func.count()).where(M.session == session_id, M.left_at.is_(None))
            )
            or 0
        )

    def count_sessions(self, participant_id: str) -> int:
        return (
            self._connection.scalar(
                select(func.count()).where(M.participant == participant_id, M.left_at.is_(None))
            )
            or 0
        )

    def put(self, session_id: str, participant_id: str, role: Role, at: datetime) -> int:
        row = (M.session == session_id, M.participant == participant_id)
        former = self._connection.execute(select(M.left_at, M.read_seq).where(*row)).one_or_none()
        if former is None:
            self._connection.execute(
                schema.member.insert().values(
                    session=session_id,
                    participant=participant_id,
                    role=role,
                    joined_at=at,
                    read_seq=0,
                )
            )
            return 0
        if former.left_at is None:
            self._connection.execute(update(schema.member).where(*row).values(role=role))
        else:
            self._connection.execute(
                update(schema.member).where(*row).values(role=role, joined_at=at, left_at=None)
            )
        return int(former.read_seq)

    def end(self, session_id: str, participant_id: str, at: datetime) -> None:
        self._connection.execute(
            update(schema.member)
            .where(M.session == session_id, M.participant == participant_id)
            .values(left_at=at)
        )

    def mark_read(self, session_id: str, participant_id: str, seq: int) -> int:
        last = self._connection.scalar(select(S.last_seq).where(S.id == session_id)) or 0
        row = (M.session == session_id, M.participant == participant_id)
        mark = min(seq, last)
        # In one step: another device of theirs may be at it too.
        self._connection.execute(
            update(schema.member).where(*row, M.read_seq < mark).values(read_seq=mark)
        )
        return self._connection.scalar(select(M.read_seq).where(*row)) or 0
