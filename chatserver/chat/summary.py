"""The summary of a session: what was counted, and what it was about."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from chatserver.chat.models import Model, Participant


class Sentiment(StrEnum):
    """The mood of a conversation; `mixed` where people say both."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    MIXED = "mixed"


class SummaryMethod(StrEnum):
    """Who found it: a language model, or counting and weighing words."""

    MODEL = "model"
    EXTRACTIVE = "extractive"


class Highlight(Model):
    """A sentence of the conversation, word for word."""

    seq: int
    sender: Participant
    text: str


class Digest(Model):
    """What a conversation is about."""

    method: SummaryMethod
    text: str | None
    topics: list[str]
    sentiment: Sentiment | None
    highlights: list[Highlight]
    covers_from_seq: int | None


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
    method: SummaryMethod = Field(
        description="whether a language model or the offline method spoke"
    )
    text: str | None = Field(description="a few sentences; null from the offline method")
    topics: list[str]
    sentiment: Sentiment | None = Field(
        description="null where it is not known, as in a language that the offline method has no "
        "words of"
    )
    highlights: list[Highlight]
    covers_from_seq: int | None = Field(
        description="text, topics, sentiment and highlights look at messages from here on; null: "
        "there are none"
    )
