"""Rows to models."""

from typing import Any

from sqlalchemy import Row, Select, select

from chatserver.chat.models import Event, Participant, Reply, ReplyError, Session
from chatserver.store import schema

EVENT_COLUMNS = (
    schema.event.c.session,
    schema.event.c.seq,
    schema.event.c.type,
    schema.event.c.body,
    schema.event.c.created_at,
    schema.participant.c.id.label("sender_id"),
    schema.participant.c.name.label("sender_name"),
    schema.participant.c.kind.label("sender_kind"),
)


def select_events() -> Select[Any]:
    """Events with their senders, for `event_from`."""
    return select(*EVENT_COLUMNS).join_from(
        schema.event, schema.participant, schema.event.c.sender == schema.participant.c.id
    )


def event_from(row: Row[Any]) -> Event:
    return Event(
        session_id=row.session,
        seq=row.seq,
        type=row.type,
        sender=Participant(id=row.sender_id, name=row.sender_name, kind=row.sender_kind),
        created_at=row.created_at,
        data=row.body,
    )


def session_from(row: Row[Any]) -> Session:
    return Session(**session_fields(row))


def session_fields(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "visibility": row.visibility,
        "reply_policy": row.reply_policy,
        "bot": row.bot,
        "bot_turns": row.bot_turns,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "last_seq": row.last_seq,
    }


def reply_from(row: Row[Any]) -> Reply:
    return Reply(
        reply_id=row.id,
        session_id=row.session,
        prompt_seq=row.prompt_seq,
        bot=row.bot,
        state=row.state,
        attempt=row.attempt,
        # What an earlier attempt had said is not what this one says.
        text=row.partial if row.partial_attempt == row.attempt else "",
        error=ReplyError(**row.error) if row.error else None,
        result_seq=row.result_seq,
    )
