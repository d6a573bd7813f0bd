"""What the server tells clients: the data of durable events, and the ephemeral signals.

One class per event; `DURABLE` and `SIGNALS` are the registry from which the protocol tables,
the contracts and the tests are derived.
"""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import model_serializer

from chatserver.chat.models import (
    BotInfo,
    EventType,
    Model,
    Participant,
    ReplyPolicy,
    Role,
    Session,
    Visibility,
)


class EventData(Model):
    """The `data` of a durable event. Optional fields that are None are left out."""

    type: ClassVar[EventType]
    doc: ClassVar[str]

    @model_serializer(mode="wrap")
    def _without_none(self, handler: Any) -> dict[str, Any]:
        return {
            key: value
            for key, value in handler(self).items()
            if value is not None or key in self.nullable
        }

    nullable: ClassVar[frozenset[str]] = frozenset()


class MessageCreated(EventData):
    type = EventType.MESSAGE_CREATED
    doc = (
        "a message; it shows the text as it stands now. `stopped`: somebody cut the bot short; "
        "`failed`: a failure did, and `reply_failed` comes next; `kept`: bots may see it all the "
        "same; `replaces`: it takes the place of that message"
    )

    text: str
    client_message_id: str | None = None
    reply_to: int | None = None
    reply_id: str | None = None
    replaces: int | None = None
    stopped: bool | None = None
    failed: bool | None = None
    kept: bool | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


class MessageEdited(EventData):
    type = EventType.MESSAGE_EDITED
    doc = "the message `seq` has another text; the text is empty once the message was deleted"

    seq: int
    text: str
    edited_at: datetime


class MessageDeleted(EventData):
    type = EventType.MESSAGE_DELETED
    doc = "the text of message `seq` was erased"

    seq: int
    deleted_at: datetime


class MessageKept(EventData):
    type = EventType.MESSAGE_KEPT
    doc = "the unfinished message `seq` is shown to bots from now on, as whole ones are"

    seq: int


class ParticipantJoined(EventData):
    type = EventType.PARTICIPANT_JOINED
    doc = "somebody became a member; `read_seq` is where one who comes back had read to"

    participant: Participant
    role: Role
    read_seq: int | None = None


class ParticipantLeft(EventData):
    type = EventType.PARTICIPANT_LEFT
    doc = "somebody is no longer a member; `new_owner` where that left the session without an owner"

    participant: Participant
    new_owner: str | None = None


class SessionUpdated(EventData):
    type = EventType.SESSION_UPDATED
    doc = "the session's settings, in full, as they now are"

    title: str
    visibility: Visibility
    reply_policy: ReplyPolicy
    bot: str | None
    # Those in the log from before there was such a setting are without it.
    bot_turns: int = 0
    nullable = frozenset({"bot"})


class ReplyFailed(EventData):
    type = EventType.REPLY_FAILED
    doc = "the bot could not answer the message `prompt_seq`"

    reply_id: str
    prompt_seq: int
    code: str
    message: str
    retryable: bool


DURABLE: dict[EventType, type[EventData]] = {
    data.type: data
    for data in (
        MessageCreated,
        MessageEdited,
        MessageDeleted,
        MessageKept,
        ParticipantJoined,
        ParticipantLeft,
        SessionUpdated,
        ReplyFailed,
    )
}


class Signal(Model):
    """An ephemeral event: told to who is connected now, never stored, never repeated."""

    name: ClassVar[str]
    doc: ClassVar[str]


class Welcome(Signal):
    name = "welcome"
    doc = "once after connecting"

    participant: Participant
    limits: dict[str, int]
    bots: list[BotInfo]
    server: dict[str, str]


class SessionAdded(Signal):
    name = "session_added"
    doc = "to a participant's own connections: a session they created or joined elsewhere"

    session: Session


class SessionDeleted(Signal):
    name = "session_deleted"
    doc = "to its members: the session is gone"

    session_id: str


class ReplySignal(Signal):
    session_id: str
    reply_id: str


class ReplyStarted(ReplySignal):
    name = "reply_started"
    doc = "a bot is thinking; a new attempt starts again at offset 0"

    attempt: int
    prompt_seq: int
    bot: Participant


class ReplyDelta(ReplySignal):
    name = "reply_delta"
    doc = "more text; `offset` counts Unicode code points from the start of the reply"

    attempt: int
    offset: int
    text: str


class ReplyFinished(ReplySignal):
    name = "reply_finished"
    doc = "the reply is the message `seq`, which came before this"

    seq: int


class ReplyStopped(ReplySignal):
    name = "reply_stopped"
    doc = "stopped; `seq` is the message with the text so far, null where there was none"

    seq: int | None


class TypingChanged(Signal):
    name = "typing_changed"
    doc = "somebody writes, or no longer does"

    session_id: str
    participant: Participant
    typing: bool


class PresenceChanged(Signal):
    name = "presence_changed"
    doc = "a member's first connection came or the last one went"

    session_id: str
    participant: Participant
    online: bool


class ReadChanged(Signal):
    name = "read_changed"
    doc = "a member has read up to `seq`"

    session_id: str
    participant_id: str
    seq: int


class ServerDraining(Signal):
    name = "server_draining"
    doc = "this server is about to stop; connect again after the delay"

    reconnect_after_ms: int


SIGNALS: dict[str, type[Signal]] = {
    signal.name: signal
    for signal in (
        Welcome,
        ReplyStarted,
        ReplyDelta,
        ReplyFinished,
        ReplyStopped,
        TypingChanged,
        PresenceChanged,
        ReadChanged,
        SessionAdded,
        SessionDeleted,
        ServerDraining,
    )
}
