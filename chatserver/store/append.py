"""Appending messages to SQLite: the hot path, in plain SQL on the writer's own connection.

Measured at a third of the CPU of the same statements through SQLAlchemy (`docs/architecture.md`).
"""

import sqlite3
from typing import Any

import orjson

from chatserver.chat.limits import Limits
from chatserver.chat.messages import admit, body_digest, require_same_body
from chatserver.chat.models import EventType, ReplyState, Role, Session
from chatserver.chat.ports import Appended, Asked, MessageDraft
from chatserver.chat.queue import Queued
from chatserver.chat.use_cases import new_id
from chatserver.store import usage
from chatserver.store.drafts import bots_asked, created, repeated
from chatserver.store.types import from_micros, to_micros

FIND = """
SELECT m.role, e.seq, e.body_digest, e.body, e.created_at,
  s.title, s.visibility, s.reply_policy, s.bot, s.created_by, s.created_at, s.last_seq
FROM session s
LEFT JOIN member m ON m.session = s.id AND m.participant = ?1 AND m.left_at IS NULL
LEFT JOIN event e ON e.session = s.id AND e.sender = ?1 AND e.client_message_id = ?3
WHERE s.id = ?2 AND s.deleted_at IS NULL
"""
"""The session, the sender's role in it, and the message if it was sent before."""
BOTS = """
SELECT p.name FROM member m JOIN participant p ON p.id = m.participant
WHERE m.session = ? AND m.left_at IS NULL AND p.kind = 'bot'
"""
TYPE_OF = "SELECT type FROM event WHERE session = ? AND seq = ?"
QUEUED = """
SELECT
  (SELECT count(*) FROM reply WHERE session = ? AND state IN ('queued', 'running')),
  (SELECT count(*) FROM reply WHERE asker = ? AND state IN ('queued', 'running')),
  (SELECT count(*) FROM (SELECT 1 FROM reply WHERE state IN ('queued', 'running') LIMIT ?))
"""
USED = "SELECT replies, tokens FROM usage WHERE participant = ? AND day = ?"
ADVANCE = "UPDATE session SET last_seq = ?, active_at = ? WHERE id = ?"
INSERT = """
INSERT INTO event
  (session, seq, type, sender, client_message_id, body_digest, body, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
QUEUE = """
INSERT INTO reply
  (id, session, prompt_seq, bot, position, asker, state,
   attempt, takeovers, stop_requested, partial, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', ?)
"""


class SqliteAppender:
    """`Store.append_message` for one draft inside the writer's open transaction.

    Every refusal comes before the first write, so that a refused draft needs no savepoint. What the
    drafts change in sessions is written by `settle`, once for each session.
    """

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._sessions: dict[str, Session] = {}
        self._advanced: dict[str, tuple[int, int]] = {}
        """The last seq and its time, of the sessions that `settle` will write."""

    def settle(self) -> None:
        """To be called before anything else is done in the transaction, and at its end."""
        for session_id, (seq, at) in self._advanced.items():
            self._connection.execute(ADVANCE, (seq, at, session_id))
        self._advanced.clear()
        self._sessions.clear()

    def append(self, draft: MessageDraft) -> tuple[Appended, int]:
        """The event, and how many replies it queued."""
        execute = self._connection.execute
        session_id, sender = draft.session_id, draft.sender
        found = execute(FIND, (sender.id, session_id, draft.client_message_id)).fetchone()
        columns: Any = found[:5] if found else (None,) * 5
        role, seq, stored, body, sent_at = columns
        session = self._session(session_id, found[5:]) if found else None
        session = admit(session, None if role is None else Role(role))
        digest = body_digest(draft.text, draft.reply_to)
        if seq is not None:
            require_same_body(stored, digest)
            event = repeated(draft, seq, body, from_micros(sent_at))
            return Appended(event, duplicate=True), 0
        bots = bots_asked(draft, session, self, self._limits)

        at = to_micros(draft.created_at)
        last_seq, _ = self._advanced.get(session_id, (session.last_seq, 0))
        event = created(draft, last_seq + 1)
        self._advanced[session_id] = event.seq, at
        execute(
            INSERT,
            (
                session_id,
                event.seq,
                EventType.MESSAGE_CREATED,
                sender.id,
                draft.client_message_id,
                digest,
                orjson.dumps(event.data).decode(),
                at,
            ),
        )
        for position, bot in enumerate(bots):
            job = (new_id(), session_id, event.seq, bot, position, sender.id, ReplyState.QUEUED, at)
            execute(QUEUE, job)
        if bots:
            execute(usage.ADD, usage.row(sender.id, draft.created_at, replies=len(bots)))
        return Appended(event, duplicate=False), len(bots)

    # --- `drafts.Rows` -------------------------------------------------------------------------

    def type_of(self, session_id: str, seq: int) -> str | None:
        target = self._connection.execute(TYPE_OF, (session_id, seq)).fetchone()
        return None if target is None else str(target[0])

    def bots(self, session_id: str) -> list[str]:
        return [name for (name,) in self._connection.execute(BOTS, (session_id,))]

    def queued(self, session_id: str, asker: str) -> Queued:
        row = (session_id, asker, self._limits.queued_replies)
        return Queued(*self._connection.execute(QUEUED, row).fetchone())

    def used(self, asker: str, day: int) -> Asked:
        row = self._connection.execute(USED, (asker, day)).fetchone()
        return Asked(*(row or (0, 0)))

    def _session(self, session_id: str, columns: tuple[Any, ...]) -> Session:
        """Of one transaction, so its columns do not change until `settle`.

        Without `bot_turns`: people's messages use none.
        """
        session = self._sessions.get(session_id)
        if session is None:
            title, visibility, reply_policy, bot, created_by, created_at, last_seq = columns
            session = self._sessions[session_id] = Session(
                id=session_id,
                title=title,
                visibility=visibility,
                reply_policy=reply_policy,
                bot=bot,
                created_by=created_by,
                created_at=from_micros(created_at),
                last_seq=last_seq,
            )
        return session
