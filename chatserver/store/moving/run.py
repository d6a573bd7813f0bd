"""The copy itself: table by table, in the order of keys, in small steps that are each on disk.

It may end anywhere. Who starts it again has what is there compared with the source's first rows,
and goes on behind them; where the source has changed meanwhile, the copy begins anew.
"""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Table

from chatserver.store.moving.errors import CopiesDiffer
from chatserver.store.moving.sides import Side, Source, Target
from chatserver.store.moving.tables import Digest, Row, all_tables

BATCH_ROWS = 1_000
BATCH_BYTES = 1_048_576


class Progress(Protocol):
    """Hears how far a copy is."""

    def resuming(self) -> None: ...
    def starting_over(self) -> None:
        """The source is not what it was: what had been copied is dropped."""
        ...

    def begin(self, step: str, table: str, total: int) -> None:
        """`step` is "copying" or "checking"; `total` rows."""
        ...

    def advance(self, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Copied:
    table: str
    digest: Digest


class _Apart(Exception):
    """What the target has is not what the source begins with. Says in which table."""


async def copy(source: Source, target: Target, progress: Progress) -> list[Copied]:
    """Everything of `source` into `target`, which holds nothing else. Returns what it then holds.

    Both are read again in the end. Raises `CopiesDiffer` where their counts or digests are not the
    same, `Unstorable`, `SideFailed`; then the target is still marked as unfinished.
    """
    resumed = not await target.claim(source.shown)
    if resumed:
        progress.resuming()
    try:
        copied = await _copy_all(source, target, progress)
    except _Apart:
        progress.starting_over()
        await target.clear()
        try:
            copied = await _copy_all(source, target, progress)
        except _Apart as apart:  # somebody else writes there
            raise CopiesDiffer([str(apart)]) from None
    differing = []
    for table, expected in zip(all_tables(), copied, strict=True):
        progress.begin("checking", table.name, expected.digest.count)
        if not expected.digest.matches(await _digest(target, table, progress)):
            differing.append(table.name)
    if differing:
        raise CopiesDiffer(differing)
    await target.finish()
    return copied


async def _copy_all(source: Source, target: Target, progress: Progress) -> list[Copied]:
    return [await _copy_table(source, target, table, progress) for table in all_tables()]


async def _copy_table(source: Source, target: Target, table: Table, progress: Progress) -> Copied:
    progress.begin("copying", table.name, await source.count(table))
    digest = Digest()
    async with aclosing(source.rows(table)) as rows:
        async with aclosing(target.rows(table)) as there:
            async for copied in there:
                if await anext(rows, None) != copied:
                    raise _Apart(table.name)
                digest.add(copied)
                if digest.count % BATCH_ROWS == 0:
                    progress.advance(BATCH_ROWS)
            progress.advance(digest.count % BATCH_ROWS)
        batch: list[Row] = []
        size = 0
        async for row in rows:
            batch.append(row)
            size += digest.add(row)
            if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
                await target.add(table, batch)
                progress.advance(len(batch))
                batch, size = [], 0
        if batch:
            await target.add(table, batch)
            progress.advance(len(batch))
    return Copied(table.name, digest)


async def _digest(side: Side, table: Table, progress: Progress) -> Digest:
    digest = Digest()
    async with aclosing(side.rows(table)) as rows:
        async for row in rows:
            digest.add(row)
            if digest.count % BATCH_ROWS == 0:
                progress.advance(BATCH_ROWS)
    progress.advance(digest.count % BATCH_ROWS)
    return digest
