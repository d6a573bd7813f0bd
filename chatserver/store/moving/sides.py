"""The two ends of a copy, and what they have in common."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Table

from chatserver.store.migrate import UNFINISHED_COPY
from chatserver.store.moving.errors import OtherCopy, TargetNotEmpty
from chatserver.store.moving.tables import Row, all_tables

READ_ROWS = 200
"""Rows fetched at once; what bounds the memory of a copy, with `run.BATCH_BYTES`."""


class Side(Protocol):
    """A database whose rows can be read. Every method may raise `SideFailed`."""

    @property
    def shown(self) -> str:
        """Its URL without what is secret in it."""
        ...

    async def count(self, table: Table) -> int: ...
    def rows(self, table: Table) -> AsyncGenerator[Row, None]:
        """In the order of their keys. One reading at a time."""
        ...


class Source(Side, Protocol):
    """All that is read is of one moment."""


class Target(Side, Protocol):
    async def claim(self, source: str) -> bool:
        """Marks an empty database as the unfinished copy of `source`, so that no server starts on

        it. False: it was marked before.
        """
        ...

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """All of them, on disk, or none. Raises `Unstorable`."""
        ...

    async def clear(self) -> None: ...
    async def finish(self) -> None:
        """Takes the mark away."""
        ...


def require_room(
    tables: Iterable[str], filled: Mapping[str, bool], copy_of: str | None, source: str
) -> None:
    """Whether a copy of `source` may go into a database with these `tables`; which of ours are
    `filled`, and of what it is the unfinished copy.

    Raises `OtherCopy`, `TargetNotEmpty`.
    """
    names = set(tables)
    if copy_of is not None:
        if copy_of != source:
            raise OtherCopy(copy_of)
        return
    if "alembic_version" not in names and names - {UNFINISHED_COPY}:
        raise TargetNotEmpty(f"table {min(names)} of another program")
    for table in all_tables():
        if filled.get(table.name):
            raise TargetNotEmpty(f"rows in table {table.name}")
