"""What clients ask for: one class per client event, with the shape of its ack.

`COMMANDS` is the registry; the Socket.IO dispatcher, the protocol table and the contracts read it.
Shapes are checked here; limits that operators set, and rights, are checked by the service.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError

from chatserver.chat.errors import InvalidPayload
from chatserver.chat.models import (
    MAX_BOT_TURNS,
    MAX_SEQ,
    Event,
    Member,
    Model,
    Reply,
    ReplyOutcome,
    ReplyPolicy,
    Session,
    SessionOverview,
    Visibility,
)
from chatserver.chat.summary import Summary

MAX_PAGE = 200

SHOWN_FIELD = 100
"""Characters of a wrong field's name that go back: a name is whatever a client made it."""

M = TypeVar("M", bound=Model)


def storable(text: str) -> str:
    # PostgreSQL cannot store NUL, and neither UTF-8 nor JSON can carry half a surrogate pair.
    if "\x00" in text:
        raise ValueError("may not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return text


Text = Annotated[str, AfterValidator(storable)]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$"),
    AfterValidator(storable),
]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
    AfterValidator(storable),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Seq = Annotated[int, Field(ge=1, le=MAX_SEQ)]
SeqOrZero = Annotated[int, Field(ge=0, le=MAX_SEQ)]
BotTurns = Annotated[int, Field(ge=0, le=MAX_BOT_TURNS)]
BotName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Choice = Field(default=None, strict=False)


class Command(Model):
    """The payload of one client event."""

    model_config = ConfigDict(strict=True)

    name: ClassVar[str]
    doc: ClassVar[str]
    ack: ClassVar[type[Model]]


class Nothing(Model):
    """An ack that says only that it was done."""


class SessionResult(Model):
    session: Session


class CreateSession(Command):
    name = "create_session"
    doc = "a session of one's own; the creator is its owner and in the room"
    ack = SessionResult

    title: Title = ""
    bot: BotName | None = Field(default=None, description="null: nobody answers")
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PRIVATE
    reply_policy: Annotated[ReplyPolicy, Field(strict=False)] = ReplyPolicy.ALWAYS
    bot_turns: BotTurns = 0


class SessionCommand(Command):
    session_id: Id


class Joined(Model):
    session: Session
    members: list[Member]
    events: list[Event]
    from_seq: int
    to_seq: int
    complete: bool = Field(
        description="false: older events are missing; page with get_history {before_seq: from_seq}"
    )
    replies: list[Reply]


class FollowSession(SessionCommand):
    """For doors that only listen. Not in `COMMANDS`: who speaks the protocol joins."""

    name = "follow_session"
    doc = "enter the room as the member that one is; live events continue at to_seq + 1"
    ack = Joined

    after_seq: SeqOrZero | None = None


class JoinSession(FollowSession):
    name = "join_session"
    doc = "become a member (or come back) and enter the room; live events continue at to_seq + 1"

    invite: Id | None = None


class LeaveSession(SessionCommand):
    name = "leave_session"
    doc = "stop being a member"
    ack = Nothing


class RenameSession(SessionCommand):
    name = "rename_session"
    doc = "the owner gives another title"
    ack = SessionResult

    title: Title


class UpdateSession(SessionCommand):
    name = "update_session"
    doc = "the owner changes settings; an operator may change reply_policy and bot"
    ack = SessionResult

    title: Title | None = None
    visibility: Visibility | None = Choice
    reply_policy: ReplyPolicy | None = Choice
    bot: BotName | None = Field(default=None, description="null: nobody answers")
    bot_turns: BotTurns | None = None


class AddBot(SessionCommand):
    name = "add_bot"
    doc = "one more bot that can be asked by @name; whoever may change the bot may do this"
    ack = SessionResult

    bot: BotName


class RemoveBot(SessionCommand):
    name = "remove_bot"
    doc = "the bot is no longer a member; where it was the session's own, nobody answers unasked"
    ack = SessionResult

    bot: BotName


class DeleteSession(SessionCommand):
    name = "delete_session"
    doc = "the owner removes it with all it holds"
    ack = Nothing


class SessionPage(Model):
    sessions: list[SessionOverview]
    next: str | None = Field(description="pass as `before` for the next page; null: the end")


class ListSessions(Command):
    name = "list_sessions"
    doc = "one's own sessions, or the public ones; newest activity first"
    ack = SessionPage

    before: Annotated[str, StringConstraints(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    scope: Literal["mine", "public"] = "mine"


class MessageSent(Model):
    message: Event
    duplicate: bool

    @property
    def encoded(self) -> bytes:
        duplicate = b"true" if self.duplicate else b"false"
        return b'{"message":%b,"duplicate":%b}' % (self.message.encoded, duplicate)


class SendMessage(SessionCommand):
    name = "send_message"
    doc = "say something; repeating the same client_message_id stores nothing twice"
    ack = MessageSent

    text: Text
    client_message_id: Id
    reply_to: Seq | None = None


class EventResult(Model):
    event: Event


class MessageChanged(EventResult):
    replies: list[Reply] = Field(description="those that wait, where bots were asked again")


class EditMessage(SessionCommand):
    name = "edit_message"
    doc = "change the text of one's own message, and let the bots answer it again if wanted"
    ack = MessageChanged

    seq: Seq
    text: Text
    ask_again: bool = False


class DeleteMessage(SessionCommand):
    name = "delete_message"
    doc = "erase the text of one's own message, or of any as the owner"
    ack = EventResult

    seq: Seq


class History(Model):
    events: list[Event]
    complete: bool = Field(description="nothing further in this direction")


class GetHistory(SessionCommand):
    name = "get_history"
    doc = "a page of the log, ascending; the newest page where neither bound is given"
    ack = History

    before_seq: Seq | None = None
    after_seq: SeqOrZero | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50


class SetTyping(SessionCommand):
    name = "set_typing"
    doc = "tell the others that one is writing; ends by itself after a few seconds"
    ack = Nothing

    typing: bool


class ReadMark(Model):
    seq: int


class MarkRead(SessionCommand):
    name = "mark_read"
    doc = "read up to `seq`; never goes back"
    ack = ReadMark

    seq: SeqOrZero


class ReplyFound(Model):
    reply: ReplyOutcome | None = Field(description="null: the message asked for none")


class GetReply(SessionCommand):
    name = "get_reply"
    doc = "how a reply stands: the one of that id, or the newest to a message (of that bot)"
    ack = ReplyFound

    reply_id: Id | None = None
    prompt_seq: Seq | None = None
    bot: BotName | None = None


class ReplyResult(Model):
    reply: Reply


class StopReply(SessionCommand):
    name = "stop_reply"
    doc = "stop a queued or running reply; what was said so far stays, marked stopped"
    ack = ReplyResult

    reply_id: Id


class RetryReply(SessionCommand):
    name = "retry_reply"
    doc = "ask again after a reply has ended: what is said now replaces what was said then"
    ack = ReplyResult

    reply_id: Id


class KeepMessage(SessionCommand):
    name = "keep_message"
    doc = "let bots see a stopped or failed answer from now on, as they see whole ones"
    ack = EventResult

    seq: Seq


class SummaryResult(Model):
    summary: Summary


class SummarizeSession(SessionCommand):
    name = "summarize_session"
    doc = "counts, times, text, topics, sentiment and highlights"
    ack = SummaryResult


class InviteCreated(Model):
    invite: str
    expires_at: datetime


class CreateInvite(SessionCommand):
    name = "create_invite"
    doc = "the owner gets a code with which others join a private session"
    ack = InviteCreated

    expires_in: Annotated[int, Field(ge=60, le=30 * 86_400)] = 7 * 86_400


class RevokeInvites(SessionCommand):
    name = "revoke_invites"
    doc = "the owner makes all codes of the session worthless"
    ack = Nothing


COMMANDS: dict[str, type[Command]] = {
    command.name: command
    for command in (
        CreateSession,
        JoinSession,
        LeaveSession,
        RenameSession,
        UpdateSession,
        AddBot,
        RemoveBot,
        DeleteSession,
        ListSessions,
        SendMessage,
        EditMessage,
        DeleteMessage,
        GetHistory,
        SetTyping,
        MarkRead,
        GetReply,
        StopReply,
        RetryReply,
        KeepMessage,
        SummarizeSession,
        CreateInvite,
        RevokeInvites,
    )
}


def parse(model: type[M], payload: Any) -> M:
    """Checks a decoded payload. Raises `InvalidPayload` that names the first wrong field."""
    try:
        return model.model_validate(payload)
    except ValidationError as refused:
        first = refused.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:SHOWN_FIELD] or None
        where = f"{field}: " if field else ""
        raise InvalidPayload(f"{where}{first['msg']}", field=field) from None
