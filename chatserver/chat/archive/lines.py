"""The lines of a file, in their order."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from chatserver.chat.commands import BotTurns, Id, Seq, SeqOrZero, Text
from chatserver.chat.models import (
    MAX_SEQ,
    Model,
    Participant,
    ReplyError,
    ReplyPolicy,
    ReplyState,
    Role,
    Visibility,
)
from chatserver.chat.times import to_utc

FORMAT: Final = "chatserver-session"
VERSION: Final = 1
MAX_LINE_BYTES = 16 * 1024 * 1024
"""Longer than the head of a session with 50 000 members, or any message."""

Time = Annotated[AwareDatetime, AfterValidator(to_utc)]
ParticipantId = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Count = Annotated[int, Field(ge=0, le=MAX_SEQ)]
SmallCount = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ArchivedMember(Model):
    """Of now, or of once: a read mark outlives an absence."""

    participant: Participant
    role: Role
    joined_at: Time
    left_at: Time | None
    read_seq: SeqOrZero


class ArchivedSession(Model):
    id: Id
    title: Text
    visibility: Visibility
    reply_policy: ReplyPolicy
    bot: Text | None
    bot_turns: BotTurns
    created_by: ParticipantId
    created_at: Time
    active_at: Time
    last_seq: SeqOrZero


class Head(Model):
    format: Literal["chatserver-session"] = FORMAT
    version: Literal[1] = VERSION
    session: ArchivedSession
    members: list[ArchivedMember]


class ArchivedReply(Model):
    """One that runs is written as one that waits: nobody runs it in a file."""

    reply_id: Id
    prompt_seq: Seq
    bot: Text
    position: SmallCount
    asker: Annotated[Text, StringConstraints(max_length=64)]
    state: ReplyState
    attempt: SmallCount
    takeovers: SmallCount
    stop_requested: bool
    text: Text
    text_attempt: SmallCount
    error: ReplyError | None
    tokens: SmallCount
    created_at: Time
    finished_at: Time | None
    result_seq: Seq | None


class ArchivedMemory(Model):
    bot: Text
    through_seq: Seq
    text: Text
    updated_at: Time


class ReplyLine(Model):
    reply: ArchivedReply


class MemoryLine(Model):
    memory: ArchivedMemory


class EndCounts(Model):
    """A file that was cut off has none, or another one."""

    replies: Count
    memories: Count


class End(Model):
    end: EndCounts
