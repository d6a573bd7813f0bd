"""Chats and messages as this door shows them."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, RootModel

from chatserver.chat.models import Event, Model, ParticipantKind, Session, SessionOverview
from chatserver.chat.summary import Sentiment, Summary


class StartedChat(Model):
    id: str
    created_at: datetime


class Chat(StartedChat):
    title: str


class Chats(RootModel[list[Chat]]):
    """Those with the newest activity first."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class ChatMessage(Model):
    id: str
    sender: Literal["user", "assistant"]
    content: str
    timestamp: datetime


class ChatMessages(RootModel[list[ChatMessage]]):
    """In the order in which they were said."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class ChatSummary(Model):
    chat_id: str
    total_messages: int
    user_message_count: int
    assistant_message_count: int
    summary: str
    topics: list[str]
    sentiment: Sentiment | None


def started(session: Session) -> StartedChat:
    return StartedChat(id=session.id, created_at=session.created_at)


def chat(session: SessionOverview) -> Chat:
    return Chat(id=session.id, created_at=session.created_at, title=session.title)


def message(event: Event) -> ChatMessage:
    is_bot = event.sender.kind is ParticipantKind.BOT
    return ChatMessage(
        id=f"{event.session_id}:{event.seq}",
        sender="assistant" if is_bot else "user",
        content=event.data["text"],
        timestamp=event.created_at,
    )


def summary(found: Summary) -> ChatSummary:
    """Highlights stand for the text where no model wrote one."""
    said_by_bots = found.messages_by_kind[ParticipantKind.BOT]
    return ChatSummary(
        chat_id=found.session_id,
        total_messages=found.total_messages,
        user_message_count=found.total_messages - said_by_bots,
        assistant_message_count=said_by_bots,
        summary=found.text or "\n".join(highlight.text for highlight in found.highlights),
        topics=found.topics,
        sentiment=found.sentiment,
    )
