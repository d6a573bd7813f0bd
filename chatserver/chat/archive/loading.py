"""A file into the store."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING

from chatserver.chat.archive.errors import BadArchive
from chatserver.chat.archive.lines import (
    MAX_LINE_BYTES,
    ArchivedMemory,
    ArchivedReply,
    Head,
)
from chatserver.chat.archive.reader import Reader
from chatserver.chat.errors import Conflict
from chatserver.chat.models import Event

if TYPE_CHECKING:
    from chatserver.chat.ports import Transaction

BATCH = 200


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """From its beginning; of a line that is too long no more than that."""
    file.seek(0)
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line


def check_archive(lines: Iterable[bytes]) -> None:
    """Raises `BadArchive`."""
    for _ in Reader(lines).items():
        pass


def load_session(
    tx: "Transaction", lines: Iterable[bytes], at: datetime, new_id: str | None = None
) -> str:
    """Returns the id of the session: its own, or `new_id`.

    Raises, and the transaction is to be given up, `BadArchive`, `SessionExists`,
    `OtherParticipant`.
    """
    return _Loading(tx, lines, at, new_id).run()


class _Loading:
    def __init__(
        self, tx: "Transaction", lines: Iterable[bytes], at: datetime, new_id: str | None
    ) -> None:
        self._tx = tx
        self._reader = Reader(lines)
        self._at = at
        self._new_id = new_id
        self._session_id = ""
        self._known: set[str] = set()
        self._waiting: list[Event | ArchivedReply] = []
        self._first = 0

    def run(self) -> str:
        for item in self._reader.items():
            if isinstance(item, Head):
                self._begin(item)
            elif isinstance(item, ArchivedMemory):
                self._flush()
                self._tx.archives.add_memory(self._session_id, item)
            else:
                self._wait(self._renamed(item))
        self._flush()
        return self._session_id

    def _begin(self, head: Head) -> None:
        self._session_id = self._new_id or head.session.id
        self._tx.archives.require_free(self._session_id)
        people = [member.participant for member in head.members]
        self._known.update(who.id for who in people)
        self._tx.archives.add_participants(people, self._at)
        session = head.session.model_copy(update={"id": self._session_id})
        self._tx.archives.add_session(head.model_copy(update={"session": session}))

    def _wait(self, item: Event | ArchivedReply) -> None:
        if self._waiting and type(item) is not type(self._waiting[0]):
            self._flush()
        if not self._waiting:
            self._first = self._reader.line
        self._waiting.append(item)
        if len(self._waiting) >= BATCH:
            self._flush(self._reader.line)

    def _flush(self, last: int | None = None) -> None:
        waiting, self._waiting = self._waiting, []
        events = [item for item in waiting if isinstance(item, Event)]
        replies = [item for item in waiting if isinstance(item, ArchivedReply)]
        try:
            if events:
                self._add_senders(events)
                self._tx.archives.add_events(events)
            if replies:
                self._tx.archives.add_replies(self._session_id, replies)
        except Conflict as conflict:
            # The line at hand already belongs to the next batch, unless this one was full.
            raise BadArchive(self._first, conflict.message, last or self._reader.line - 1) from None

    def _add_senders(self, events: Sequence[Event]) -> None:
        new = {e.sender.id: e.sender for e in events if e.sender.id not in self._known}
        if new:
            self._tx.archives.add_participants(list(new.values()), self._at)
            self._known.update(new)

    def _renamed(self, item: Event | ArchivedReply) -> Event | ArchivedReply:
        if self._new_id is None:
            return item
        if isinstance(item, ArchivedReply):
            return item.model_copy(update={"reply_id": self._new_reply_id(item.reply_id)})
        data = item.data
        if isinstance(data.get("reply_id"), str):
            data = {**data, "reply_id": self._new_reply_id(data["reply_id"])}
        return item.model_copy(update={"session_id": self._session_id, "data": data})

    def _new_reply_id(self, reply_id: str) -> str:
        """Always the same for one reply, so that events and replies go on meeting."""
        name = f"{self._session_id}:{reply_id}".encode()
        digest = hashlib.blake2b(name, digest_size=16).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
