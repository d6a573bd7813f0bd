"""Reads a file line by line, and believes none of it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from chatserver.chat.archive.errors import BadArchive
from chatserver.chat.archive.lines import (
    MAX_LINE_BYTES,
    ArchivedMemory,
    ArchivedReply,
    End,
    Head,
    MemoryLine,
    ReplyLine,
)
from chatserver.chat.commands import storable
from chatserver.chat.events import DURABLE, MessageCreated, MessageEdited
from chatserver.chat.models import MAX_SEQ, Event, Model, Participant, ReplyState
from chatserver.chat.times import to_utc

M = TypeVar("M", bound=Model)
Item = Head | Event | ArchivedReply | ArchivedMemory
EARLIER = ("seq", "reply_to", "replaces", "prompt_seq")
"""Fields of an event's data that point at an event before it."""


class Refused(Exception):
    """What is wrong with the line at hand."""


class Reader:
    """The items of a file, each checked alone and against those before it.

    Remembers who is who and which messages were deleted, and nothing else of what it has read.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Each line with its end, and none longer than `MAX_LINE_BYTES` + 1."""
        self._lines = lines
        self.line = 0
        """The number of the line at hand, from 1."""
        self._people: dict[str, Participant] = {}
        self._deleted: set[int] = set()
        self._seq = self._replies = self._memories = 0
        self._remembering: set[str] = set()

    def items(self) -> Iterator[Item]:
        """Raises `BadArchive`."""
        try:
            yield from self._items()
        except Refused as refusal:
            raise BadArchive(self.line, str(refusal)) from None

    def _items(self) -> Iterator[Item]:
        lines = iter(self._lines)
        head = self._head(self._next(lines))
        yield head
        while self._seq < head.session.last_seq:
            yield self._event(self._next(lines), head)
        while (item := self._rest(self._next(lines))) is not None:
            yield item
        for _ in lines:
            self.line += 1
            raise Refused('there is something after the "end"')

    def _rest(self, line: bytes) -> Item | None:
        if line.startswith(b'{"reply":'):
            return self._reply(line)
        if line.startswith(b'{"memory":'):
            return self._memory(line)
        end = _parsed(End, line).end
        if (end.replies, end.memories) != (self._replies, self._memories):
            raise Refused("end: counts other replies and memories than there are")
        return None

    def _next(self, lines: Iterator[bytes]) -> bytes:
        self.line += 1
        line = next(lines, b"")
        if not line:
            raise Refused("the file ends too early")
        if len(line) > MAX_LINE_BYTES:
            raise Refused(f"longer than {MAX_LINE_BYTES} bytes")
        return line

    def _head(self, line: bytes) -> Head:
        head = _parsed(Head, line)
        if len({member.participant.id for member in head.members}) < len(head.members):
            raise Refused("members: the same one twice")
        for member in head.members:
            self._meet(member.participant)
            if member.read_seq > head.session.last_seq:
                raise Refused("members: a read_seq is beyond the last event")
        if head.session.created_by not in self._people:
            raise Refused("session.created_by: is not among the members")
        return head

    def _event(self, line: bytes, head: Head) -> Event:
        event = _parsed(Event, line)
        if event.session_id != head.session.id:
            raise Refused("session_id: of another session")
        if event.seq != self._seq + 1:
            raise Refused(f"seq: expected {self._seq + 1}")
        if event.created_at.tzinfo is None:
            raise Refused("created_at: without a time zone")
        self._meet(event.sender)
        self._check_data(event)
        self._seq += 1
        return event.model_copy(update={"created_at": to_utc(event.created_at)})

    def _check_data(self, event: Event) -> None:
        """That it is what a server writes; one of earlier days may have known fewer fields."""
        data = _parsed(DURABLE[event.type], to_json(event.data), "data.")
        written = data.wire()
        if to_json({key: written[key] for key in event.data if key in written}) != to_json(
            event.data
        ):
            raise Refused("data: not as it is written by a server")
        _check_texts(event.data)
        for name, value in data:
            if isinstance(value, datetime) and value.utcoffset() != timedelta(0):
                raise Refused(f"data.{name}: not in UTC")
            if isinstance(value, int) and value > MAX_SEQ:
                raise Refused(f"data.{name}: too large")
            if name in EARLIER and value is not None and not 1 <= value < event.seq:
                raise Refused(f"data.{name}: is no event before this one")
        if isinstance(data, MessageCreated) and data.deleted_at is not None:
            self._deleted.add(event.seq)
            _require_erased(data.text)
        if isinstance(data, MessageEdited) and data.seq in self._deleted:
            _require_erased(data.text)

    def _reply(self, line: bytes) -> ArchivedReply:
        reply = _parsed(ReplyLine, line).reply
        if self._memories:
            raise Refused("a reply after the first memory")
        if reply.state is ReplyState.RUNNING:
            raise Refused("reply.state: nobody runs it")
        if (reply.finished_at is not None) != reply.state.terminal:
            raise Refused("reply.finished_at: does not suit its state")
        if reply.state.terminal and reply.text:
            raise Refused("reply.text: of one that has ended; its text is in the log")
        if max(reply.prompt_seq, reply.result_seq or 0) > self._seq:
            raise Refused("reply: of no event of this session")
        self._replies += 1
        return reply

    def _memory(self, line: bytes) -> ArchivedMemory:
        memory = _parsed(MemoryLine, line).memory
        if memory.through_seq > self._seq:
            raise Refused("memory.through_seq: is no event of this session")
        if memory.bot in self._remembering:
            raise Refused("memory.bot: the same one twice")
        self._remembering.add(memory.bot)
        self._memories += 1
        return memory

    def _meet(self, who: Participant) -> None:
        _check_texts(who.wire())
        if not 1 <= len(who.id) <= 64:
            raise Refused("participant: an id has 1 to 64 characters")
        if self._people.setdefault(who.id, who) != who:
            raise Refused(f"participant {who.id}: somebody else on an earlier line")


def _parsed(kind: type[M], line: bytes, where: str = "") -> M:
    try:
        return kind.model_validate_json(line, strict=True)
    except ValidationError as refused:
        problem = refused.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise Refused(f"{where}{field or 'it'}: {problem['msg']}") from None


def _require_erased(text: str) -> None:
    if text:
        raise Refused("data.text: of a deleted message")


def _check_texts(data: dict[str, Any]) -> None:
    for name, value in data.items():
        if isinstance(value, dict):
            _check_texts(value)
        elif isinstance(value, str):
            try:
                storable(value)
            except ValueError as problem:
                raise Refused(f"{name}: {problem}") from None
