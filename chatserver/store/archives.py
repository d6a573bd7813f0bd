"""Whole sessions out of, and into, all their tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.exc import IntegrityError

from chatserver.chat.archive.errors import OtherParticipant, SessionExists
from chatserver.chat.archive.lines import (
    ArchivedMember,
    ArchivedMemory,
    ArchivedReply,
    ArchivedSession,
    Head,
)
from chatserver.chat.errors import Conflict
from chatserver.chat.messages import body_digest
from chatserver.chat.models import Event, EventType, Participant, ReplyState
from chatserver.store import schema
from chatserver.store.rows import session_fields

PAGE = 200
S, M, P, R = schema.session.c, schema.member.c, schema.participant.c, schema.reply.c


class ArchiveRows:
    """`chat.ports.Archives`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self, session_id: str) -> Head | None:
        found = self._connection.execute(
            select(schema.session).where(S.id == session_id, S.deleted_at.is_(None))
        ).one_or_none()
        if found is None:
            return None
        members = self._connection.execute(
            select(schema.member, P.id, P.name, P.kind)
            .join_from(schema.member, schema.participant, M.participant == P.id)
            .where(M.session == session_id)
        )
        return Head(
            session=ArchivedSession(**session_fields(found), active_at=found.active_at),
            members=sorted(
                (_member_from(row) for row in members),
                key=lambda member: (member.joined_at, member.participant.id),
            ),
        )

    def replies(self, session_id: str) -> Iterator[ArchivedReply]:
        rows = self._connection.execute(
            select(schema.reply).where(R.session == session_id).order_by(R.prompt_seq),
            execution_options={"yield_per": PAGE},
        )
        # Sorted here: databases differ in how they order text.
        for _, of_prompt in groupby(rows, key=lambda row: row.prompt_seq):
            yield from sorted(
                (_reply_from(row) for row in of_prompt),
                key=lambda reply: (reply.created_at, reply.position, reply.reply_id),
            )

    def memories(self, session_id: str) -> Iterator[ArchivedMemory]:
        memory = schema.memory.c
        rows = self._connection.execute(
            select(memory.bot, memory.through_seq, memory.text, memory.updated_at).where(
                memory.session == session_id
            )
        ).all()
        yield from (ArchivedMemory(**row._mapping) for row in sorted(rows, key=lambda r: r.bot))

    def require_free(self, session_id: str) -> None:
        found = self._connection.execute(
            select(S.deleted_at).where(S.id == session_id)
        ).one_or_none()
        if found is not None:
            raise SessionExists(session_id, deleted=found.deleted_at is not None)

    def add_participants(self, people: Sequence[Participant], at: datetime) -> None:
        for who in people:
            found = self._connection.execute(
                select(P.name, P.kind).where(P.id == who.id)
            ).one_or_none()
            if found is None:
                row = {"id": who.id, "name": who.name, "kind": who.kind, "created_at": at}
                self._connection.execute(schema.participant.insert().values(row))
            elif (found.name, found.kind) != (who.name, who.kind):
                raise OtherParticipant(who.id)

    def add_session(self, head: Head) -> None:
        self._connection.execute(schema.session.insert().values(**dict(head.session)))
        rows = [
            {
                **dict(member),
                "session": head.session.id,
                "participant": member.participant.id,
            }
            for member in head.members
        ]
        self._insert(schema.member, rows)

    def add_events(self, events: Sequence[Event]) -> None:
        rows = [_event_row(event) for event in events]
        self._insert(schema.event, rows, "a client_message_id was used before by the same sender")

    def add_replies(self, session_id: str, replies: Sequence[ArchivedReply]) -> None:
        rows = [_reply_row(session_id, reply) for reply in replies]
        self._insert(schema.reply, rows, "there is a reply with this reply_id already")

    def add_memory(self, session_id: str, memory: ArchivedMemory) -> None:
        self._connection.execute(schema.memory.insert().values(session=session_id, **dict(memory)))

    def _insert(self, table: Table, rows: list[dict[str, Any]], clash: str = "") -> None:
        try:
            self._connection.execute(table.insert(), rows)
        except IntegrityError:
            if not clash:
                raise
            # Without its cause: to make the transaction again would not help.
            raise Conflict(clash) from None


def _member_from(row: Row[Any]) -> ArchivedMember:
    return ArchivedMember(
        participant=Participant(id=row.id, name=row.name, kind=row.kind),
        role=row.role,
        joined_at=row.joined_at,
        left_at=row.left_at,
        read_seq=row.read_seq,
    )


def _reply_from(row: Row[Any]) -> ArchivedReply:
    state = ReplyState(row.state)
    return ArchivedReply(
        reply_id=row.id,
        prompt_seq=row.prompt_seq,
        bot=row.bot,
        position=row.position,
        asker=row.asker,
        state=ReplyState.QUEUED if state is ReplyState.RUNNING else state,
        attempt=row.attempt,
        takeovers=row.takeovers,
        stop_requested=row.stop_requested,
        text=row.partial,
        text_attempt=row.partial_attempt,
        error=row.error,
        tokens=row.tokens,
        created_at=row.created_at,
        finished_at=row.finished_at,
        result_seq=row.result_seq,
    )


def _reply_row(session_id: str, reply: ArchivedReply) -> dict[str, Any]:
    fields = dict(reply)
    for ours, theirs in (
        ("id", "reply_id"),
        ("partial", "text"),
        ("partial_attempt", "text_attempt"),
    ):
        fields[ours] = fields.pop(theirs)
    error = reply.error.model_dump() if reply.error else None
    return {**fields, "session": session_id, "error": error}


def _event_row(event: Event) -> dict[str, Any]:
    data = event.data
    is_message = event.type is EventType.MESSAGE_CREATED
    client_id = data.get("client_message_id") if is_message else None
    changed = "edited_at" in data or "deleted_at" in data
    # What an edited message said at first is not in the file: a repeat of it is taken for one.
    digest = (
        None if client_id is None or changed else body_digest(data["text"], data.get("reply_to"))
    )
    deleted_at = data.get("deleted_at") if is_message else None
    return {
        "session": event.session_id,
        "seq": event.seq,
        "type": event.type,
        "sender": event.sender.id,
        "client_message_id": client_id,
        "body_digest": digest,
        "body": data,
        "created_at": event.created_at,
        "deleted_at": datetime.fromisoformat(deleted_at) if deleted_at else None,
    }
