"""Rows on their way between databases: what fits, and what they are told apart by."""

from typing import Any

import pytest
from sqlalchemy import Table

from chatserver.store import schema
from chatserver.store.moving.tables import (
    Digest,
    Row,
    all_tables,
    from_postgres,
    selection,
    to_postgres,
    unfit,
)

REPLY: dict[str, Any] = {
    "id": "r",
    "session": "s",
    "prompt_seq": 1,
    "bot": "echo",
    "position": 0,
    "asker": "ada",
    "state": "done",
    "attempt": 1,
    "takeovers": 0,
    "stop_requested": 1,
    "partial": "",
    "partial_attempt": 0,
    "tokens": 0,
    "created_at": 1_767_268_800_123_456,
}
TOKEN = {"hash": b"x", "participant": "ada", "created_at": 0, "expires_at": 1}


def row(table: Table, values: dict[str, Any]) -> Row:
    return tuple(values.get(column.name) for column in table.columns)


def test_a_row_is_the_same_after_postgresql() -> None:
    for table, values in ((schema.reply, REPLY), (schema.token, TOKEN)):
        whole = row(table, values)
        assert unfit(table, whole) is None
        assert from_postgres(table)(to_postgres(table)(whole)) == whole


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("bot", "a\x00b", "bot has the NUL character in it, which PostgreSQL cannot store"),
        ("bot", b"x", "bot is no text"),
        ("bot", None, "bot is missing"),
        ("state", "x" * 17, "state is longer than 16 characters"),
        ("tokens", 2**31, "tokens is no integer of 32 bits"),
        ("prompt_seq", 2**63, "prompt_seq is no integer of 64 bits"),
        ("prompt_seq", 1.5, "prompt_seq is no integer of 64 bits"),
        ("stop_requested", 7, "stop_requested is neither true nor false"),
        ("created_at", "soon", "created_at is no time"),
        ("created_at", 2**62, "created_at is no time"),
    ],
)
def test_what_postgresql_cannot_store_is_said(column: str, value: Any, complaint: str) -> None:
    assert (
        unfit(schema.reply, row(schema.reply, REPLY | {column: value})) == f"reply r: {complaint}"
    )


def test_bytes_that_are_none_are_said_with_the_key_of_the_row() -> None:
    wrong = row(schema.token, TOKEN | {"hash": b"\x01\xff", "participant": 7})
    assert unfit(schema.token, wrong) == "token 01ff: participant is no text"


def test_a_digest_tells_apart_what_looks_alike() -> None:
    rows: list[list[Row]] = [
        [],
        [("a", "b")],
        [("ab", "")],
        [("a",), ("b",)],
        [("b",), ("a",)],
        [(1,)],
        [("1",)],
        [(b"1",)],
        [(None,)],
        [("None",)],
    ]
    digests = [Digest() for _ in rows]
    for digest, added in zip(digests, rows, strict=True):
        for each in added:
            digest.add(each)
    for number, one in enumerate(digests):
        assert [one.matches(other) for other in digests].index(True) == number


def test_every_table_is_copied_after_those_that_it_refers_to() -> None:
    names = [table.name for table in all_tables()]
    assert set(names) == set(schema.metadata.tables)
    for table in all_tables():
        for key in table.foreign_keys:
            assert names.index(key.column.table.name) < names.index(table.name)


def test_text_is_ordered_by_its_bytes_everywhere() -> None:
    assert selection(schema.event, ' COLLATE "C"').endswith('BY "session" COLLATE "C", "seq"')
    assert selection(schema.token, ' COLLATE "C"').endswith('BY "hash"')
