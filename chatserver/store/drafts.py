"""What both write paths do with a draft: the rules in their order, and the event it becomes.

The rules themselves are the domain's; here is which of them are asked, and about which rows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import orjson

from chatserver.chat.addressing import answering, asked_by_name
from chatserver.chat.events import MessageCreated
from chatserver.chat.limits import Limits
from chatserver.chat.messages import require_target
from chatserver.chat.models import Event, EventType, Session
from chatserver.chat.ports import Asked, MessageDraft
from chatserver.chat.queue import Queued, require_queue_room
from chatserver.chat.quota import has_quota, require_quota


class Rows(Protocol):
    """What the rules ask of the store, with the drafts before this one already counted in."""

    def type_of(self, session_id: str, seq: int) -> str | None:
        """The type of an event, None where there is none."""
        ...

    def bots(self, session_id: str) -> Sequence[str]:
        """The names of the session's member bots."""
        ...

    def queued(self, session_id: str, asker: str) -> Queued: ...

    def used(self, asker: str, day: int) -> Asked:
        """`day` is its ordinal."""
        ...


def bots_asked(
    draft: MessageDraft, session: Session, rows: Rows, limits: Limits
) -> tuple[str, ...]:
    """The bots that a new message of a member asks, where all rules allow it.

    Raises `InvalidPayload`, `Busy` or `QuotaExceeded`.
    """
    if draft.reply_to is not None:
        require_target(draft.reply_to, rows.type_of(session.id, draft.reply_to))
    by_name = asked_by_name(session, draft.sender, draft.text)
    bots = answering(session, draft.sender, draft.text, rows.bots(session.id) if by_name else ())
    if bots:
        require_queue_room(rows.queued(session.id, draft.sender.id), len(bots), limits)
        if has_quota(limits):
            today = rows.used(draft.sender.id, draft.created_at.toordinal())
            require_quota(today, len(bots), draft.created_at, limits)
    return bots


def created(draft: MessageDraft, seq: int) -> Event:
    """The event that the draft becomes."""
    data = MessageCreated(
        text=draft.text, client_message_id=draft.client_message_id, reply_to=draft.reply_to
    )
    return Event(
        session_id=draft.session_id,
        seq=seq,
        type=EventType.MESSAGE_CREATED,
        sender=draft.sender,
        created_at=draft.created_at,
        data=data.wire(),
    )


def repeated(draft: MessageDraft, seq: int, body: str, created_at: datetime) -> Event:
    """The event that the draft became when it was sent before."""
    return Event(
        session_id=draft.session_id,
        seq=seq,
        type=EventType.MESSAGE_CREATED,
        sender=draft.sender,
        created_at=created_at,
        data=orjson.loads(body),
    )
