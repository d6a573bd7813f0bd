"""The `event` table: the log of every session."""

from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, select, update

from chatserver.chat.errors import NotFound
from chatserver.chat.events import EventData
from chatserver.chat.models import Event, EventType, Participant
from chatserver.chat.ports import ParticipantCount
from chatserver.store import schema
from chatserver.store.rows import event_from, select_events

E, P, S, M = schema.event.c, schema.participant.c, schema.session.c, schema.memory.c
IS_MESSAGE = and_(E.type == EventType.MESSAGE_CREATED, E.deleted_at.is_(None))


class LogRows:
    """`chat.ports.Log`. Collects in `appended` what its transaction will have added."""

    def __init__(self, connection: Connection, appended: list[Event]) -> None:
        self._connection = connection
        self._appended = appended

    def append(self, session_id: str, sender: Participant, data: EventData, at: datetime) -> Event:
        seq = self._connection.scalar(
            update(schema.session)
            .where(S.id == session_id, S.deleted_at.is_(None))
            .values(last_seq=S.last_seq + 1, active_at=at)
            .returning(S.last_seq)
        )
        if seq is None:
            raise NotFound("no such session")
        event = Event(
            session_id=session_id,
            seq=seq,
            type=data.type,
            sender=sender,
            created_at=at,
            data=data.wire(),
        )
        self._connection.execute(
            schema.event.insert().values(
                session=session_id,
                seq=seq,
                type=event.type,
                sender=sender.id,
                body=event.data,
                created_at=at,
            )
        )
        self._appended.append(event)
        return event

    def get(self, session_id: str, seq: int) -> Event | None:
        found = self._connection.execute(
            select_events().where(E.session == session_id, E.seq == seq)
        ).one_or_none()
        return None if found is None else event_from(found)

    def after(self, session_id: str, after_seq: int, limit: int) -> list[Event]:
        rows = self._connection.execute(
            select_events()
            .where(E.session == session_id, E.seq > after_seq)
            .order_by(E.seq)
            .limit(limit)
        )
        return [event_from(row) for row in rows]

    def before(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        query = select_events().where(E.session == session_id)
        if before_seq is not None:
            query = query.where(E.seq < before_seq)
        rows = self._connection.execute(query.order_by(E.seq.desc()).limit(limit)).all()
        return [event_from(row) for row in reversed(rows)]

    def messages(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        query = select_events().where(E.session == session_id, IS_MESSAGE)
        if before_seq is not None:
            query = query.where(E.seq < before_seq)
        rows = self._connection.execute(query.order_by(E.seq.desc()).limit(limit)).all()
        return [event_from(row) for row in reversed(rows)]

    def counts(self, session_id: str) -> list[ParticipantCount]:
        rows = self._connection.execute(
            select(P.id, P.name, P.kind, func.count().label("messages"))
            .join_from(schema.event, schema.participant, E.sender == P.id)
            .where(E.session == session_id, IS_MESSAGE)
            .group_by(P.id, P.name, P.kind)
            .order_by(func.count().desc(), P.id)
        )
        return [
            ParticipantCount(
                participant=Participant(id=row.id, name=row.name, kind=row.kind),
                messages=row.messages,
            )
            for row in rows
        ]

    def message_span(self, session_id: str) -> tuple[datetime, datetime] | None:
        first, last = self._connection.execute(
            select(func.min(E.seq), func.max(E.seq)).where(E.session == session_id, IS_MESSAGE)
        ).one()
        if first is None:
            return None
        times = {
            row.seq: row.created_at
            for row in self._connection.execute(
                select(E.seq, E.created_at).where(E.session == session_id, E.seq.in_([first, last]))
            )
        }
        return times[first], times[last]

    def edit(self, session_id: str, seq: int, text: str, at: datetime) -> None:
        self._rewrite(session_id, seq, text=text, edited_at=_iso(at))
        self._forget(session_id, seq)

    def keep(self, session_id: str, seq: int) -> None:
        self._rewrite(session_id, seq, kept=True)

    def erase(self, session_id: str, seq: int, at: datetime) -> None:
        self._rewrite(session_id, seq, text="", deleted_at=_iso(at))
        self._forget(session_id, seq)
        row = (E.session == session_id, E.seq == seq)
        self._connection.execute(
            update(schema.event).where(*row).values(body_digest=None, deleted_at=at)
        )
        edits = self._connection.execute(
            select(E.seq, E.body).where(
                E.session == session_id, E.type == EventType.MESSAGE_EDITED, E.seq > seq
            )
        ).all()
        for edit in edits:
            if edit.body["seq"] == seq:
                self._rewrite(session_id, edit.seq, text="")

    def _forget(self, session_id: str, seq: int) -> None:
        # Here and not in the use cases: none of them may leave a text in a summary.
        self._connection.execute(
            delete(schema.memory).where(M.session == session_id, M.through_seq >= seq)
        )

    def _rewrite(self, session_id: str, seq: int, **changes: str | bool) -> None:
        row = (E.session == session_id, E.seq == seq)
        body = self._connection.execute(select(E.body).where(*row)).scalar_one()
        self._connection.execute(update(schema.event).where(*row).values(body={**body, **changes}))


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
