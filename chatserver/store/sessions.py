"""The `session` table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy.dialects.postgresql
import sqlalchemy.dialects.sqlite
from sqlalchemy import Connection, Select, and_, delete, func, or_, select, tuple_, update

from chatserver.chat.models import EventType, Session, SessionOverview, Visibility
from chatserver.store import schema
from chatserver.store.rows import event_from, select_events, session_fields, session_from

UNREAD_CAP = 100
"""Nobody reads how many beyond; counting stops here."""

INSERTS: dict[str, Any] = {
    "sqlite": sqlalchemy.dialects.sqlite.insert,
    "postgresql": sqlalchemy.dialects.postgresql.insert,
}

S, M, E = schema.session.c, schema.member.c, schema.event.c


class SessionRows:
    """`chat.ports.Sessions`. With `locking`, a session that was got is held until the end."""

    def __init__(self, connection: Connection, *, locking: bool = False) -> None:
        self._connection = connection
        self._locking = locking

    def get(self, session_id: str) -> Session | None:
        query = select(schema.session).where(S.id == session_id, S.deleted_at.is_(None))
        if self._locking:
            # As an update of it would; rows that only refer to it can still be written.
            query = query.with_for_update(key_share=True)
        found = self._connection.execute(query).one_or_none()
        return None if found is None else session_from(found)

    def add(self, session: Session) -> None:
        self._connection.execute(schema.session.insert().values(_row(session)))

    def add_if_new(self, session: Session) -> bool:
        insert = INSERTS[self._connection.dialect.name](schema.session).values(_row(session))
        return self._connection.execute(insert.on_conflict_do_nothing()).rowcount == 1

    def save_settings(self, session: Session) -> None:
        self._connection.execute(
            update(schema.session)
            .where(S.id == session.id)
            .values(
                title=session.title,
                visibility=session.visibility,
                reply_policy=session.reply_policy,
                bot=session.bot,
                bot_turns=session.bot_turns,
            )
        )

    def delete(self, session_id: str, at: datetime) -> None:
        # The row stays as a tombstone: its id, the secret of a link session, is never given again.
        # Before all else, so that nobody adds what would then be left.
        self._connection.execute(
            update(schema.session).where(S.id == session_id).values(title="", deleted_at=at)
        )
        for table in (schema.memory, schema.reply, schema.invite, schema.event, schema.member):
            self._connection.execute(delete(table).where(table.c.session == session_id))

    def overview(
        self, participant_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[SessionOverview]:
        mine = and_(M.participant == participant_id, M.left_at.is_(None))
        query = self._overviews(participant_id, before, limit)
        return self._read_overviews(
            query.join_from(schema.session, schema.member, M.session == S.id).where(mine)
        )

    def public(
        self, participant_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[SessionOverview]:
        mine = and_(M.session == S.id, M.participant == participant_id, M.left_at.is_(None))
        query = self._overviews(participant_id, before, limit)
        return self._read_overviews(
            query.join_from(schema.session, schema.member, mine, isouter=True).where(
                S.visibility == Visibility.PUBLIC
            )
        )

    def last_seqs(self, session_ids: Sequence[str]) -> dict[str, int]:
        rows = self._connection.execute(
            select(S.id, S.last_seq).where(S.id.in_(session_ids), S.deleted_at.is_(None))
        )
        return {row.id: row.last_seq for row in rows}

    def _overviews(
        self, participant_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> Select[Any]:
        of_session = and_(E.session == S.id, E.type == EventType.MESSAGE_CREATED)
        unseen = (
            select(E.seq)
            .where(
                of_session,
                E.seq > M.read_seq,
                E.sender != participant_id,
                E.deleted_at.is_(None),
            )
            .limit(UNREAD_CAP)
            .correlate(schema.session, schema.member)
            .subquery()
        )
        newest = select(func.max(E.seq)).where(of_session).correlate(schema.session)
        query = (
            select(
                schema.session,
                M.role,
                M.read_seq,
                select(func.count()).select_from(unseen).scalar_subquery().label("unread"),
                newest.scalar_subquery().label("last_message_seq"),
            )
            .where(S.deleted_at.is_(None))
            .order_by(S.active_at.desc(), S.id.desc())
            .limit(limit)
        )
        if before is not None:
            active_at, session_id = before
            query = query.where(
                or_(S.active_at < active_at, and_(S.active_at == active_at, S.id < session_id))
            )
        return query

    def _read_overviews(self, query: Select[Any]) -> list[SessionOverview]:
        rows = self._connection.execute(query).all()
        wanted = [(r.id, r.last_message_seq) for r in rows if r.last_message_seq is not None]
        messages = {}
        if wanted:
            found = self._connection.execute(
                select_events().where(tuple_(E.session, E.seq).in_(wanted))
            )
            messages = {row.session: event_from(row) for row in found}
        return [
            SessionOverview(
                **session_fields(row),
                role=row.role,
                read_seq=row.read_seq or 0,
                unread=row.unread if row.role is not None else 0,
                last_message=messages.get(row.id),
                active_at=row.active_at,
            )
            for row in rows
        ]


def _row(session: Session) -> dict[str, Any]:
    return {**session.model_dump(), "active_at": session.created_at}
