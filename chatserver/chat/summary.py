"""The summary of a session: what was counted, and what it was about."""

from datetime import datetime

from pydantic import Field

from chatserver.chat.models import Model, Participant


class Highlight(Model):
    """A sentence of the conversation, word for word."""

    seq: int
    sender: Participant
    text: str


class Digest(Model):
    """What a conversation is about, taken from its own words."""

    topics: list[str]
    highlights: list[Highlight]


class ParticipantMessages(Model):
    participant: Participant
    messages: int


class Summary(Model):
    session_id: str
    total_messages: int
    messages_by_participant: list[ParticipantMessages]
    messages_by_kind: dict[str, int]
    first_message_at: datetime | None
    last_message_at: datetime | None
    topics: list[str]
    highlights: list[Highlight]
    covers_from_seq: int | None = Field(
        description="topics and highlights look at messages from here on; null: there are none"
    )
