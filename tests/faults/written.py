"""A database and histories written by hand, for the checker to read."""

import sqlite3
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from sqlalchemy import create_engine

from chatserver.store import schema
from tests.faults.checker import Resources, check
from tests.faults.findings import Verdict
from tests.faults.history import (
    MARKS,
    Acked,
    Connected,
    Joined,
    Mark,
    Named,
    Received,
    Record,
    Seen,
    Sent,
    Settled,
    digest,
)

ROOM, OTHER = "room", "other"
ADA, BOB, EVE, BOT = "ada", "bob", "eve", "bot:echo"


@dataclass
class Stored:
    """A row of the log."""

    type: str
    sender: str
    data: dict[str, Any]
    sent: str | None = None
    """The text as it was first sent."""

    @property
    def text(self) -> str | None:
        text: str | None = self.data.get("text")
        return text


def joined(who: str) -> Stored:
    return Stored("participant_joined", who, {"participant": {"id": who}})


def left(who: str) -> Stored:
    return Stored("participant_left", who, {"participant": {"id": who}})


def said(who: str, message_id: str, text: str) -> Stored:
    data = {"text": text, "client_message_id": message_id}
    return Stored("message_created", who, data, sent=text)


def answered(prompt: int, reply: str = "r1") -> Stored:
    data = {"text": "indeed", "reply_to": prompt, "reply_id": reply}
    return Stored("message_created", BOT, data)


@dataclass
class Written:
    """By default all is well: Ada says two things, of which the bot answers the second, then Bob

    says something. Tests change what is stored, or what was written down.
    """

    folder: Path
    log: dict[int, Stored] = field(
        default_factory=lambda: {
            1: joined(ADA),
            2: joined(BOT),
            3: joined(BOB),
            4: said(ADA, "a-1", "one"),
            5: said(ADA, "a-2", "@echo two"),
            6: answered(5),
            7: said(BOB, "b-1", "three"),
        }
    )
    replies: list[tuple[str, int, str, int | None]] = field(
        default_factory=lambda: [("r1", 5, "done", 6)]
    )
    last_seq: int | None = None
    histories: dict[str, list[Record]] = field(default_factory=dict)
    marks: list[tuple[int, Mark]] = field(default_factory=list)
    """With their times. A client's records are one each ms, from 1 ms on."""

    def __post_init__(self) -> None:
        ada: list[Record] = [
            Named(ADA),
            Connected(1, "websocket"),
            self.snapshot(0, 2),
            self.live(3),
        ]
        ada += [self.sends(1, 4), self.live(4), acks(1, 4), self.sends(2, 5), self.live(5)]
        ada += [acks(2, 5), self.live(6), self.live(7), self.snapshot(7, 7), Settled(1)]
        bob: list[Record] = [Named(BOB), Connected(1, "polling"), self.snapshot(0, 3)]
        bob += [self.live(seq) for seq in (4, 5, 6)]
        bob += [self.sends(1, 7), self.live(7), acks(1, 7), self.snapshot(7, 7), Settled(1)]
        self.histories = {ADA: ada, BOB: bob}

    # --- what may be written down ----------------------------------------------------------------

    def seen(self, seq: int) -> Seen:
        row = self.log[seq]
        return Seen(
            seq=seq,
            type=row.type,
            sender=row.sender,
            message_id=row.data.get("client_message_id"),
            reply_id=row.data.get("reply_id"),
            digest="" if row.text is None else digest(row.text),
        )

    def live(self, seq: int, connection: int = 1) -> Received:
        return Received(connection, ROOM, self.seen(seq))

    def snapshot(self, after: int, to: int, connection: int = 1) -> Joined:
        events = [self.seen(seq) for seq in range(after + 1, to + 1)]
        return Joined(connection, ROOM, after, after + 1, to, True, events)

    def sends(self, op: int, seq: int, connection: int = 1) -> Sent:
        """What became the message `seq`, once more."""
        row = self.log[seq]
        text, message_id = row.sent or "", row.data["client_message_id"]
        return Sent(op, connection, ROOM, message_id, digest(text), "@echo" in text)

    # --- changing it -----------------------------------------------------------------------------

    def place(self, who: str, record: Record) -> int:
        return self.histories[who].index(record)

    def insert(self, who: str, before: Record, *records: Record) -> None:
        at = self.place(who, before)
        self.histories[who][at:at] = records

    def drop(self, who: str, record: Record) -> None:
        self.histories[who].remove(record)

    def exchange(self, who: str, record: Any, **changes: Any) -> None:
        self.histories[who][self.place(who, record)] = replace(record, **changes)

    # --- judging it ------------------------------------------------------------------------------

    def verdict(self, resources: list[Resources] | None = None) -> Verdict:
        database = self.folder / "chat.db"
        self._store(database)
        history = self.folder / "history"
        history.mkdir()
        for name, records in self.histories.items():
            timed = [(at * 1_000_000, record) for at, record in enumerate(records, start=1)]
            (history / f"{name}.jsonl").write_bytes(_lines(timed))
        (history / f"{MARKS}.jsonl").write_bytes(_lines(list(self.marks)))
        return check(history, f"sqlite:///{database}", resources=resources)

    def _store(self, path: Path) -> None:
        path.write_bytes(_empty())
        last = max(self.log) if self.last_seq is None else self.last_seq
        with sqlite3.connect(path) as database:
            for session, last_seq in ((ROOM, last), (OTHER, 1)):
                database.execute(
                    "INSERT INTO session (id, title, visibility, reply_policy, created_by,"
                    " created_at, last_seq, active_at) VALUES (?, '', 'link', 'off', ?, 0, ?, 0)",
                    (session, ADA, last_seq),
                )
            for session, rows in ((ROOM, self.log), (OTHER, {1: joined(EVE)})):
                for seq, row in rows.items():
                    sent = None if row.sent is None else bytes.fromhex(digest(row.sent))
                    body = orjson.dumps(row.data).decode()
                    database.execute(
                        "INSERT INTO event (session, seq, type, sender, body_digest, body,"
                        " created_at) VALUES (?, ?, ?, ?, ?, ?, 0)",
                        (session, seq, row.type, row.sender, sent, body),
                    )
            for id_, prompt, state, result in self.replies:
                database.execute(
                    "INSERT INTO reply (id, session, prompt_seq, bot, state, attempt, takeovers,"
                    " stop_requested, partial, created_at, result_seq)"
                    " VALUES (?, ?, ?, 'echo', ?, 1, 0, 0, '', 0, ?)",
                    (id_, ROOM, prompt, state, result),
                )
        database.close()


def acks(op: int, seq: int, *, duplicate: bool = False) -> Acked:
    return Acked(op, True, "", seq, duplicate)


def refuses(op: int, code: str) -> Acked:
    return Acked(op, False, code, None, False)


@cache
def _empty() -> bytes:
    """A database without a row. (Making the tables anew would be most of a test's time.)"""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine = create_engine(f"sqlite:///{path}")
        schema.metadata.create_all(engine)
        engine.dispose()
        return path.read_bytes()


def _lines(timed: list[tuple[int, Any]]) -> bytes:
    return b"".join(
        orjson.dumps([type(record).__name__.lower(), at, at / 1e9, record]) + b"\n"
        for at, record in timed
    )
