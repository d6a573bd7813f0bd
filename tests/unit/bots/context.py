"""What a bot is asked with, where no server asks."""

from datetime import UTC, datetime

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

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Participant(id="ada", name="Ada", kind=ParticipantKind.USER)


def prompt(text: str = "hello") -> ReplyContext:
    """A session's first message."""
    session = Session(
        id="tea",
        title="Tea",
        visibility=Visibility.PRIVATE,
        reply_policy=ReplyPolicy.ALWAYS,
        bot="scripted",
        created_by=ADA.id,
        created_at=NOW,
        last_seq=1,
    )
    message = Event(
        session_id=session.id,
        seq=1,
        type=EventType.MESSAGE_CREATED,
        sender=ADA,
        created_at=NOW,
        data={"text": text},
    )
    return ReplyContext(session=session, prompt=message, messages=(message,))
