"""Conversations as bots get to see them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chatserver.chat.bots import bot_participant
from chatserver.chat.conversation import standing
from chatserver.chat.models import (
    Event,
    EventType,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    Session,
    Visibility,
)
from chatserver.chat.ports import ReplyContext

AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    sender: Participant
    data: dict[str, Any]


def said(text: str, by: str = "Eve", id: str | None = None, **data: Any) -> Said:
    """A person's message; people of one name are one unless their ids differ."""
    person = Participant(id=id or f"person:{by}", name=by, kind=ParticipantKind.USER)
    return Said(person, {"text": text, **data})


def answered(text: str, bot: str = "ada", **data: Any) -> Said:
    return Said(bot_participant(bot), {"text": text, **data})


def talk(*messages: Said) -> ReplyContext:
    """The last message is the prompt."""
    events = tuple(
        Event(
            session_id="talk",
            seq=seq,
            type=EventType.MESSAGE_CREATED,
            sender=message.sender,
            created_at=AT,
            data=message.data,
        )
        for seq, message in enumerate(messages, start=1)
    )
    session = Session(
        id="talk",
        title="",
        visibility=Visibility.LINK,
        reply_policy=ReplyPolicy.ALWAYS,
        bot="ada",
        created_by=events[0].sender.id,
        created_at=AT,
        last_seq=len(events),
    )
    prompt = events[-1]
    return ReplyContext(session=session, prompt=prompt, messages=(*standing(events[:-1]), prompt))


def prompt(text: str = "hello") -> ReplyContext:
    """A talk's first message."""
    return talk(said(text))
