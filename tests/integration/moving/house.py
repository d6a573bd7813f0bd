"""A database full of everything that there can be, made fast, and looked at whole."""

import asyncio
import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Boolean, LargeBinary

from chatserver.chat.messages import body_digest
from chatserver.store.open import database_at
from chatserver.store.schema import metadata
from chatserver.store.types import Timestamp, from_micros

START = 1_767_268_800_123_456
"""2026, in microseconds."""
SECOND = 1_000_000
PEOPLE = ("ada", "bob", "eve")
TEXTS = ("hello", "тук-тук 🐙", 'a "quoted"\nline', "\ttab\\backslash", "ﷺ" * 40)


def fill(path: Path, *, sessions: int = 3, messages: int = 10) -> None:
    """A migrated SQLite file with `sessions` times `messages` messages and rows in every table."""
    database_at(f"sqlite:///{path}").migrate()
    with sqlite3.connect(path) as connection:
        for table, rows in _rows(sessions, messages).items():
            names = list(rows[0])
            columns = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join("?" * len(names))
            connection.executemany(
                f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',
                [tuple(row.values()) for row in rows],
            )
    connection.close()


def _rows(sessions: int, messages: int) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in metadata.sorted_tables}
    everybody = [(who, who.title(), "user") for who in PEOPLE] + [("bot:echo", "echo", "bot")]
    for number, (id, name, kind) in enumerate(everybody):
        rows["participant"].append(
            {"id": id, "name": name, "kind": kind, "created_at": START + number}
        )
    for number, who in enumerate(PEOPLE):
        rows["token"].append(
            {
                "hash": hashlib.sha256(who.encode()).digest(),
                "participant": who,
                "created_at": START,
                "expires_at": START + 10**12,
                "revoked_at": START + 5 if number == 0 else None,
            }
        )
        rows["usage"].append(
            {"participant": who, "day": 739_000, "replies": number, "tokens": 2**40 + number}
        )
    for number in range(sessions):
        _add_session(rows, f"Session-{number:03}", messages, START + number * SECOND)
    rows["session"].append(_session("Deleted", START, 7) | {"title": "", "deleted_at": START + 9})
    return rows


def _session(id: str, at: int, last_seq: int) -> dict[str, Any]:
    return {
        "id": id,
        "title": f"Tea of {id} 🍵",
        "visibility": "private",
        "reply_policy": "always",
        "bot": "echo",
        "bot_turns": 2,
        "created_by": "ada",
        "created_at": at,
        "last_seq": last_seq,
        "active_at": at + last_seq,
        "deleted_at": None,
    }


def _add_session(rows: dict[str, list[dict[str, Any]]], id: str, messages: int, at: int) -> None:
    joined: list[dict[str, Any]] = [
        {"participant": {"id": who, "name": who.title(), "kind": "user"}, "role": role}
        for who, role in zip(PEOPLE, ("owner", "member", "member"), strict=True)
    ]
    joined.append(
        {"participant": {"id": "bot:echo", "name": "echo", "kind": "bot"}, "role": "member"}
    )
    events: list[dict[str, Any]] = []

    def add(kind: str, sender: str, body: dict[str, Any], **more: Any) -> None:
        events.append(
            {
                "session": id,
                "seq": len(events) + 1,
                "type": kind,
                "sender": sender,
                "client_message_id": None,
                "body_digest": None,
                "body": _compact(body),
                "created_at": at + len(events) * 1000,
                "deleted_at": None,
                **more,
            }
        )

    for one in joined:
        add("participant_joined", one["participant"]["id"], one)
    first = len(events) + 1
    for number in range(messages):
        sender, text, name = PEOPLE[number % 3], TEXTS[number % len(TEXTS)], f"m{number}"
        add(
            "message_created",
            sender,
            {"text": text, "client_message_id": name},
            client_message_id=name,
            body_digest=body_digest(text, None),
        )
    moment = "2026-01-01T12:10:00.500000Z"
    edited, deleted = first, first + 1
    _change(events[edited - 1], {"text": "new", "client_message_id": "m0", "edited_at": moment})
    gone = {"text": "", "client_message_id": "m1", "deleted_at": moment}
    at_deletion = int(datetime.fromisoformat(moment).timestamp() * 1e6)
    _change(events[deleted - 1], gone, body_digest=None, deleted_at=at_deletion)
    add("message_edited", "ada", {"seq": edited, "text": "new", "edited_at": moment})
    add("message_edited", "bob", {"seq": deleted, "text": "", "edited_at": moment})
    add("message_deleted", "bob", {"seq": deleted, "deleted_at": moment})
    add("participant_left", "eve", {"participant": {"id": "eve", "name": "Eve", "kind": "user"}})
    settings = {"title": f"Tea of {id} 🍵", "visibility": "private", "reply_policy": "always"}
    add("session_updated", "ada", settings | {"bot": "echo", "bot_turns": 2})
    answer = {"text": "hello, hello", "reply_to": first, "reply_id": f"{id}-done"}
    add("message_created", "bot:echo", answer)
    error = {"code": "bot_failed", "message": "it did not work", "retryable": True}
    failed = {"reply_id": f"{id}-failed", "prompt_seq": first + 2, **error}
    add("reply_failed", "bot:echo", failed)
    rows["session"].append(_session(id, at, len(events)))
    rows["event"] += events
    rows["member"] += [
        {
            "session": id,
            "participant": one["participant"]["id"],
            "role": one["role"],
            "joined_at": at + number,
            "left_at": at + 99 if one["participant"]["id"] == "eve" else None,
            "read_seq": number,
        }
        for number, one in enumerate(joined)
    ]
    rows["invite"].append(
        {
            "hash": hashlib.sha256(id.encode()).digest(),
            "session": id,
            "created_by": "ada",
            "created_at": at,
            "expires_at": at + 10**12,
        }
    )
    rows["memory"].append(
        {"session": id, "bot": "echo", "through_seq": 3, "text": "They met.", "updated_at": at}
    )
    rows["reply"] += [
        _reply(id, "done", first, at, result_seq=len(events) - 1, finished_at=at + 7, tokens=12),
        _reply(
            id,
            "failed",
            first + 2,
            at,
            error=_compact(error),
            finished_at=at + 8,
        ),
        _reply(
            id,
            "running",
            first + 3,
            at,
            owner="worker-1",
            lease_until=at + 10**7,
            partial="so far 🐙",
            partial_attempt=2,
            attempt=2,
            takeovers=1,
        ),
        _reply(id, "queued", first + 4, at, stop_requested=1),
    ]


def _reply(session: str, state: str, prompt_seq: int, at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{session}-{state}",
        "session": session,
        "prompt_seq": prompt_seq,
        "bot": "echo",
        "position": 0,
        "asker": "ada",
        "state": state,
        "attempt": 1,
        "takeovers": 0,
        "owner": None,
        "lease_until": None,
        "stop_requested": 0,
        "partial": "",
        "partial_attempt": 0,
        "error": None,
        "tokens": 0,
        "created_at": at,
        "finished_at": None,
        "result_seq": None,
        **more,
    }


def _compact(value: dict[str, Any]) -> str:
    """JSON as a server writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _change(event: dict[str, Any], body: dict[str, Any], **columns: Any) -> None:
    event["body"] = _compact(body)
    event.update(columns)


def dump(url: str) -> dict[str, list[list[Any]]]:
    """Every row of every table that is there, however the database keeps it."""
    if url.startswith("sqlite"):
        return _dump_sqlite(url.removeprefix("sqlite:///"))
    return asyncio.run(_dump_postgres(url))


def _dump_sqlite(path: str) -> dict[str, list[list[Any]]]:
    with sqlite3.connect(path) as connection:
        found = {
            name: connection.execute(f'SELECT * FROM "{name}"')
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        }
        dumped = {
            name: _sorted(
                [
                    _readable(name, dict(zip([c[0] for c in rows.description], row, strict=True)))
                    for row in rows
                ]
            )
            for name, rows in found.items()
        }
    connection.close()
    return dumped


async def _dump_postgres(url: str) -> dict[str, list[list[Any]]]:
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        return {
            name: _sorted(
                [sorted(dict(row).items()) for row in await connection.fetch(f'TABLE "{name}"')]
            )
            for (name,) in names
        }
    finally:
        await connection.close()


def _readable(table: str, row: dict[str, Any]) -> list[Any]:
    """A row of SQLite as PostgreSQL's driver gives it."""
    columns = metadata.tables[table].columns if table in metadata.tables else ()
    for column in columns:
        name = column.name
        if row[name] is None:
            continue
        if isinstance(column.type, Timestamp):
            row[name] = from_micros(row[name]).astimezone(UTC)
        elif isinstance(column.type, Boolean):
            row[name] = bool(row[name])
        elif isinstance(column.type, LargeBinary):
            row[name] = bytes(row[name])
    return sorted(row.items())


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=repr)


def tables_without_rows(dumped: dict[str, list[Any]]) -> set[str]:
    return {table.name for table in metadata.sorted_tables if not dumped.get(table.name)}
