"""What the database holds once everything has come to rest, read without the code that wrote it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.faults.history import Seen, digest

SESSIONS = "SELECT id, last_seq, deleted_at FROM session"
EVENTS = "SELECT session, seq, type, sender, body_digest, body FROM event ORDER BY session, seq"
REPLIES = "SELECT id, session, prompt_seq, state, result_seq FROM reply ORDER BY session, id"
MESSAGE = "message_created"
ERASED = digest("")
"""Of a deleted message and its edits: what they once said is nowhere any more."""


@dataclass(frozen=True, slots=True)
class Row:
    """An event of the log. `sent` is the digest of a message as first sent, where it is kept."""

    event: Seen
    sent: str | None
    about: int
    """The message that an edit or deletion changed, or a failed reply's prompt."""
    who: str
    """The participant that joined or left."""


@dataclass(frozen=True, slots=True)
class Reply:
    id: str
    prompt_seq: int
    state: str
    result_seq: int | None


@dataclass(slots=True)
class SessionLog:
    """One session. `stays` are each participant's memberships: from one seq to another."""

    id: str
    last_seq: int
    deleted: bool
    rows: dict[int, Row] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    texts: dict[int, set[str]] = field(default_factory=dict)
    """Of messages that were changed: every digest that their text had at some time."""
    stays: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: Row) -> None:
        event = row.event
        self.rows[event.seq] = row
        match event.type:
            case "participant_joined":
                self.stays[row.who].append([event.seq, float("inf")])
            case "participant_left" if self.stays[row.who]:
                self.stays[row.who][-1][1] = event.seq
            case "message_edited" | "message_deleted":
                self._changed(row)

    def differs(self, told: Seen) -> str:
        """Why this is not what the log has at its place; empty where it is."""
        row = self.rows.get(told.seq)
        if row is None:
            return "is not in the log"
        stored = row.event
        if (told.type, told.sender, told.message_id, told.reply_id) != (
            stored.type,
            stored.sender,
            stored.message_id,
            stored.reply_id,
        ):
            return f"is another one in the log: {stored}"
        if told.digest == stored.digest or stored.digest == ERASED:
            return ""
        if told.digest not in self.texts.get(told.seq, ()):
            return "has another text in the log"
        return ""

    def was_member(self, participant: str, first: int, last: int) -> bool:
        """Whether some stay holds all of these seqs; its own first and last event belong to it."""
        return any(start <= first and last <= end for start, end in self.stays.get(participant, ()))

    def is_member(self, participant: str) -> bool:
        stays = self.stays.get(participant)
        return bool(stays and stays[-1][1] == float("inf")) and not self.deleted

    def _changed(self, row: Row) -> None:
        """A message shows its newest text, wherever it is read."""
        message = self.rows.get(row.about)
        texts = self.texts.setdefault(row.about, set())
        texts.add(row.event.digest)
        if message is not None and message.sent is not None:
            texts.add(message.sent)


Truth = dict[str, SessionLog]


def read_truth(database_url: str) -> Truth:
    """Of a SQLite file or a PostgreSQL database."""
    sessions, events, replies = _query(database_url, SESSIONS, EVENTS, REPLIES)
    truth = {
        id_: SessionLog(id_, last_seq, deleted_at is not None)
        for id_, last_seq, deleted_at in sessions
    }
    for session, *event in events:
        truth[session].add(_row(*event))
    for id_, session, *reply in replies:
        truth[session].replies.append(Reply(id_, *reply))
    return truth


def _row(seq: int, type_: str, sender: str, body_digest: bytes | None, body: str) -> Row:
    data = orjson.loads(body)
    said = data.get("text")
    return Row(
        Seen(
            seq=seq,
            type=type_,
            sender=sender,
            message_id=data.get("client_message_id"),
            reply_id=data.get("reply_id"),
            digest="" if said is None else digest(said),
        ),
        sent=body_digest.hex() if body_digest is not None else None,
        about=data.get("seq") or data.get("prompt_seq") or 0,
        who=(data.get("participant") or {}).get("id", ""),
    )


def _query(database_url: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                return [_tuples(connection.execute(text(query))) for query in queries]
        finally:
            engine.dispose()
    # Only an asynchronous driver is installed; whoever calls may be on an event loop already.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, _ask(database_url, queries)).result()


async def _ask(database_url: str, queries: Iterable[str]) -> list[list[tuple[Any, ...]]]:
    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return [_tuples(await connection.execute(text(query))) for query in queries]
    finally:
        await engine.dispose()


def _tuples(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]
