"""A server that breaks a promise, as a process: `python -m tests.faults.broken NAME... serve`.

Each name is a function here that exchanges a part of the server before it starts. Those of `FAULTS`
only give it a bad day, which a server that keeps its promises survives.
"""

import asyncio
import itertools
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, bindparam

from chatserver.chat import access, use_cases
from chatserver.chat.commands import Joined
from chatserver.chat.desk import ReplyDesk
from chatserver.chat.errors import NotFound, Unavailable
from chatserver.chat.models import Role, Session
from chatserver.chat.ports import Appended, Claim, MessageDraft
from chatserver.chat.sessions import SessionUseCases
from chatserver.cli import main
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.packed import Heard
from chatserver.realtime.room import Room
from chatserver.replies.run import ReplyRun
from chatserver.store import append, replies
from chatserver.store.append import SqliteAppender
from chatserver.store.writer import Batch, Writer

SLOW_DISK = 0.2
"""Seconds in which clients get their acks for messages, and somebody may pull the plug."""
FROZEN_REPLIES = 3
FROZEN_SECONDS = 2.5
"""Longer than a lease of a second and a look for lapsed ones together."""


def ack_before_commit() -> None:
    """The disk is given its time after everybody was told."""

    def commit(self: Writer, connection: Connection, batch: Batch) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        appender = SqliteAppender(raw, self._limits)
        raw.execute("BEGIN IMMEDIATE")
        for job in batch.jobs:
            self._perform(connection, raw, appender, job, batch)
        appender.settle()
        self._loop.call_soon_threadsafe(self._deliver, batch)
        if any(isinstance(job.work, MessageDraft) for job in batch.jobs):
            time.sleep(SLOW_DISK)
        raw.execute("COMMIT")

    _exchange(Writer, "_commit", commit)


def without_dedup() -> None:
    """A message that is sent again is another message."""
    found = append.FIND.replace("client_message_id = ?3", "client_message_id = ?3 AND 0")
    kept = append.INSERT.replace("(?, ?, ?, ?, ?,", "(?1, ?2, ?3, ?4, nullif(?5, ?5),")
    _exchange(append, "FIND", found)
    _exchange(append, "INSERT", kept.replace("?, ?, ?)", "?6, ?7, ?8)"))


def seq_outside_transaction() -> None:
    """A number is drawn when a message comes, whether it is then stored or not."""
    drawn: dict[str, int] = {}
    stored = SqliteAppender.append

    def numbered(self: SqliteAppender, draft: MessageDraft) -> tuple[Appended, int]:
        session = draft.session_id
        query = "SELECT last_seq FROM session WHERE id = ?"
        (last,) = self._connection.execute(query, (session,)).fetchone() or (0,)
        last, at = max((last, 0), self._advanced.get(session, (0, 0)))
        before = max(last, drawn.get(session, 0))
        drawn[session] = before + 1
        self._advanced[session] = before, at or int(time.time() * 1e6)
        return stored(self, draft)

    _exchange(SqliteAppender, "append", numbered)


def without_recovery() -> None:
    """Who comes back is told that nothing happened."""
    snapshot: Callable[..., Joined] = SessionUseCases._snapshot

    def empty(*given: Any, **more: Any) -> Joined:
        joined = snapshot(*given, **more)
        if joined.from_seq == 1:
            return joined
        changed = {"events": [], "from_seq": joined.to_seq + 1, "complete": True}
        return joined.model_copy(update=changed)

    _exchange(SessionUseCases, "_snapshot", empty)


def without_membership() -> None:
    """Who knows a session's id may read and write it."""

    def anybody(session: Session | None, role: Role | None) -> tuple[Session, Role]:
        if session is None:
            raise NotFound("no such session")
        return session, role or Role.MEMBER

    _exchange(access, "require_member", anybody)
    _exchange(use_cases, "require_member", anybody)


def without_cursor() -> None:
    """What is heard of is passed on as it comes, and what is not is not missed."""

    def heard(self: RoomFeed, event: Heard) -> None:
        room = self._rooms.get(event.session_id)
        if room is not None:
            self._deliver(room, event)

    def content(self: RoomFeed, room: Room) -> None:
        """Nothing is ever missing."""

    _exchange(RoomFeed, "heard", heard)
    _exchange(RoomFeed, "_catch_up", content)


def without_fences() -> None:
    """A worker may end a reply that was taken over."""
    asked = [bindparam("held_by").is_not(None), bindparam("held_attempt").is_not(None)]
    _exchange(replies, "FENCE", and_(replies.R.id == bindparam("held_id"), *asked))


def frozen_workers() -> None:
    """The first attempts at some replies fall silent just before their end, and wake up late."""
    renew, end = ReplyDesk.renew, ReplyRun._persistently
    frozen = itertools.count()
    asleep: set[str] = set()

    async def unheard(self: ReplyDesk, claim: Claim, partial: str) -> bool | None:
        if claim.reply.reply_id in asleep and claim.reply.attempt == 1:
            raise Unavailable("frozen")
        return await renew(self, claim, partial)

    async def late(self: ReplyRun, *given: Any) -> None:
        reply = self._claim.reply
        if reply.attempt == 1 and next(frozen) < FROZEN_REPLIES:
            asleep.add(reply.reply_id)
            await asyncio.sleep(FROZEN_SECONDS)
        await end(self, *given)

    _exchange(ReplyDesk, "renew", unheard)
    _exchange(ReplyRun, "_persistently", late)


MUTANTS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        ack_before_commit,
        without_dedup,
        seq_outside_transaction,
        without_recovery,
        without_membership,
        without_cursor,
        without_fences,
    )
}
FAULTS: dict[str, Callable[[], None]] = {frozen_workers.__name__: frozen_workers}


def _exchange(owner: Any, name: str, other: Any) -> None:
    """Fails where there is no such part any more."""
    assert hasattr(owner, name), (owner, name)
    assert getattr(owner, name) != other, "it is as it was"
    setattr(owner, name, other)


if __name__ == "__main__":
    *names, command = sys.argv[1:]
    for each in names:
        (MUTANTS | FAULTS)[each]()
    main([command], prog_name="chatserver")
