"""The nouns of the domain. Frozen; their JSON form is the protocol's (snake_case, ISO 8601 UTC)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MAX_SEQ = 2**53 - 1
"""The highest sequence number: the largest integer that JavaScript represents exactly."""


MAX_BOT_TURNS = 8
"""The most that a session's `bot_turns` may be."""


class Model(BaseModel):
    """Base of everything that crosses the wire: immutable, unknown fields refused."""

    # An error in the log must not quote what people wrote.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        # What goes out is whole; a contract that calls a field optional would say otherwise.
        json_schema_serialization_defaults_required=True,
    )

    def wire(self) -> dict[str, Any]:
        """The JSON-ready form."""
        return self.model_dump(mode="json")

    @property
    def encoded(self) -> bytes:
        """The same as JSON."""
        return self.__pydantic_serializer__.to_json(self)


class ParticipantKind(StrEnum):
    USER = "user"
    BOT = "bot"
    OPERATOR = "operator"


class Visibility(StrEnum):
    """Who may join: with an invite code; whoever knows the id; anyone, and it is listed."""

    PRIVATE = "private"
    LINK = "link"
    PUBLIC = "public"


class ReplyPolicy(StrEnum):
    """When the session's bot answers a person's message."""

    ALWAYS = "always"
    MENTION = "mention"
    OFF = "off"


class Role(StrEnum):
    OWNER = "owner"
    MEMBER = "member"
    OPERATOR = "operator"


class ReplyState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def terminal(self) -> bool:
        return self in (ReplyState.DONE, ReplyState.FAILED, ReplyState.STOPPED)


class EventType(StrEnum):
    """The durable events; each has a `seq` and stays in the log."""

    MESSAGE_CREATED = "message_created"
    MESSAGE_EDITED = "message_edited"
    MESSAGE_DELETED = "message_deleted"
    MESSAGE_KEPT = "message_kept"
    PARTICIPANT_JOINED = "participant_joined"
    PARTICIPANT_LEFT = "participant_left"
    SESSION_UPDATED = "session_updated"
    REPLY_FAILED = "reply_failed"


class Participant(Model):
    id: str
    name: str
    kind: ParticipantKind


class Session(Model):
    id: str = Field(description="128 random bits, url-safe; for a link session, the secret itself")
    title: str
    visibility: Visibility
    reply_policy: ReplyPolicy
    bot: str | None = Field(description="the name of the bot that answers here, if any")
    bot_turns: int = Field(
        default=0,
        description="how often bots may answer bots before a person says something again",
    )
    created_by: str
    created_at: datetime
    last_seq: int


class Member(Model):
    participant: Participant
    role: Role
    joined_at: datetime
    read_seq: int
    online: bool = False


class Event(Model):
    """One entry of a session's log, in the one shape it has everywhere."""

    session_id: str
    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]
    type: EventType
    sender: Participant
    created_at: datetime
    data: dict[str, Any]

    @cached_property
    def encoded(self) -> bytes:
        """Made once for the room, the acks and the pages that it appears in."""
        return self.__pydantic_serializer__.to_json(self)


class ReplyError(Model):
    """Why a reply failed, in words a person understands; details are in the log only."""

    code: str
    message: str
    retryable: bool


class Reply(Model):
    """A bot's answer to one prompt. Reaches exactly one terminal state."""

    reply_id: str
    session_id: str
    prompt_seq: int
    bot: str
    state: ReplyState
    attempt: int
    text: str = ""
    error: ReplyError | None = None
    result_seq: int | None = None


class ReplyOutcome(Reply):
    """A reply with the message it ended in; null while it waits or runs, or if there is none."""

    message: Event | None


class SessionOverview(Session):
    """A session as its member sees it in a list."""

    role: Role | None
    read_seq: int
    unread: int = Field(description="messages of others after read_seq, counted up to 100")
    last_message: Event | None
    active_at: datetime


class Token(Model):
    """A bearer token in the one moment its text is known; only its hash is stored."""

    token: str
    participant: Participant
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid token stands for, and until when."""

    participant: Participant
    digest: bytes
    expires_at: datetime


class BotInfo(Model):
    name: str
    description: str
