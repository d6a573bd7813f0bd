"""Tables and rows on their way: the same on every database, so that digests are too."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from chatserver.store.schema import metadata
from chatserver.store.types import Timestamp, from_micros, to_micros

Row = tuple[int | str | bytes | None, ...]
"""As SQLite has it: times are microseconds since 1970, booleans 0 or 1, JSON is its text."""

BITS = {Integer: 31, BigInteger: 63}


def all_tables() -> list[Table]:
    """Each after those that it refers to."""
    return list(metadata.sorted_tables)


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def selection(table: Table, text_order: str = "") -> str:
    """The statement that reads all rows by their key. `text_order` follows each key that is text:

    it must order by the bytes of UTF-8, as SQLite does.
    """
    keys = [
        f'"{column.name}"{text_order if isinstance(column.type, String) else ""}'
        for column in table.primary_key
    ]
    columns = quoted(table.columns.keys())
    return f'SELECT {columns} FROM "{table.name}" ORDER BY {", ".join(keys)}'


class Digest:
    """The count and the SHA-256 of rows, in the order in which they are added."""

    def __init__(self) -> None:
        self.count = 0
        self._sha256 = hashlib.sha256()

    def add(self, row: Row) -> int:
        """Returns about how many bytes the row has."""
        encoded = repr(row).encode("utf-8", "surrogatepass")
        self._sha256.update(encoded)
        self.count += 1
        return len(encoded)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def matches(self, other: "Digest") -> bool:
        return (self.count, self.sha256) == (other.count, other.sha256)


Convert = Callable[[Sequence[Any]], Row]


def from_postgres(table: Table) -> Convert:
    return _converted(table, to_micros, int)


def to_postgres(table: Table) -> Convert:
    """Raises `ValueError` or `TypeError` for what is no row of this table."""
    return _converted(table, from_micros, _truth)


def _converted(table: Table, time: Callable[[Any], Any], truth: Callable[[Any], Any]) -> Convert:
    changed = [
        (place, time if isinstance(column.type, Timestamp) else truth)
        for place, column in enumerate(table.columns)
        if isinstance(column.type, Timestamp | Boolean)
    ]

    def convert(row: Sequence[Any]) -> Row:
        values = list(row)
        for place, change in changed:
            if values[place] is not None:
                values[place] = change(values[place])
        return tuple(values)

    return convert


def _truth(value: int) -> bool:
    if value not in (0, 1):
        raise ValueError("neither true nor false")
    return bool(value)


def unfit(table: Table, row: Row) -> str | None:
    """Why PostgreSQL cannot store the row: which one, which column, and what is wrong with it."""
    for column, value in zip(table.columns, row, strict=True):
        if (reason := _misfit(column, value)) is not None:
            return f"{table.name} {_key(table, row)}: {column.name} {reason}"
    return None


def _misfit(column: Column[Any], value: object) -> str | None:
    kind = column.type
    if value is None:
        return None if column.nullable else "is missing"
    if isinstance(kind, Timestamp):
        return None if isinstance(value, int) and _is_time(value) else "is no time"
    if isinstance(kind, Boolean):
        return None if value in (0, 1) else "is neither true nor false"
    if isinstance(kind, Integer):
        bits = BITS[BigInteger if isinstance(kind, BigInteger) else Integer]
        fits = isinstance(value, int) and -(2**bits) <= value < 2**bits
        return None if fits else f"is no integer of {bits + 1} bits"
    if isinstance(kind, LargeBinary):
        return None if isinstance(value, bytes) else "is no bytes"
    if not isinstance(value, str):
        return "is no text"
    if "\x00" in value:
        return "has the NUL character in it, which PostgreSQL cannot store"
    length = getattr(kind, "length", None)
    return f"is longer than {length} characters" if length and len(value) > length else None


def _is_time(micros: int) -> bool:
    try:
        return isinstance(from_micros(micros), datetime)
    except OverflowError:
        return False


def _key(table: Table, row: Row) -> str:
    by_name = dict(zip(table.columns.keys(), row, strict=True))
    values = [by_name[column.name] for column in table.primary_key]
    return " ".join(each.hex() if isinstance(each, bytes) else str(each) for each in values)
