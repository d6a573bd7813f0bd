"""Both ends of a copy, opened, looked at, and closed again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatserver.store.migrate import UnfinishedCopy, require_current
from chatserver.store.moving.errors import SameDatabase, SourceMissing
from chatserver.store.moving.postgres import PostgresSide
from chatserver.store.moving.sides import Source, Target
from chatserver.store.moving.sqlite import SqliteSide
from chatserver.store.open import PostgresDatabase, SqliteDatabase, explained

Place = SqliteDatabase | PostgresDatabase


def place(database: Place) -> str:
    """Where it is, whoever asks for it: the name of a source, in the mark of its copy."""
    if isinstance(database, SqliteDatabase):
        return f"sqlite:///{database.path.resolve()}"
    scheme, _, rest = database.shown.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


@asynccontextmanager
async def source_at(database: Place) -> AsyncIterator[Source]:
    """What is there now, as one moment; nothing of it is changed.

    Raises `SourceMissing`, `DatabaseInUse`, `DatabaseRefused`, `SchemaTooNew`, `SchemaTooOld`,
    `UnfinishedCopy`, `SideFailed`.
    """
    _require_file(database)
    database.acquire()
    try:
        async with _looked_at(database) as side:
            await _require_whole(side)
            yield side
    finally:
        database.release()


async def require_readable(database: Place) -> None:
    """Whether there is something to be read as it is, beside a server or without one.

    Raises `SourceMissing`, `DatabaseRefused`, `SchemaTooNew`, `SchemaTooOld`, `UnfinishedCopy`,
    `SideFailed`.
    """
    _require_file(database)
    async with _looked_at(database) as side:
        await _require_whole(side)


@asynccontextmanager
async def target_at(database: Place, source: Source) -> AsyncIterator[Target]:
    """With the newest schema, and either empty or the unfinished copy of `source`.

    Raises, having changed nothing, `SameDatabase`, `TargetNotEmpty`, `OtherCopy`, `TargetInUse`,
    `DatabaseInUse`, `DatabaseRefused`, `SchemaTooNew`, `SideFailed`.
    """
    if place(database) == source.shown:
        raise SameDatabase
    database.acquire()
    try:
        if isinstance(database, SqliteDatabase):
            if database.path.exists():
                # On a connection that changes nothing, not even how the file is kept.
                async with _file(database, readonly=True) as file:
                    await file.require_room(source.shown)
            await asyncio.to_thread(database.migrate, unfinished=True)
            async with _file(database, readonly=False) as side:
                yield side
        else:
            async with _server(database) as server:
                await server.require_alone()
                await server.require_room(source.shown)
                await asyncio.to_thread(database.migrate, unfinished=True)
                yield server
    finally:
        database.release()


def _require_file(database: Place) -> None:
    if isinstance(database, SqliteDatabase) and not database.path.is_file():
        raise SourceMissing("there is no such file")


async def _require_whole(side: SqliteSide | PostgresSide) -> None:
    revision = await side.revision()
    if revision is None:
        raise SourceMissing("it holds nothing of chatserver")
    require_current(revision)
    if (source := await side.copy_of()) is not None:
        raise UnfinishedCopy(source)


@asynccontextmanager
async def _looked_at(database: Place) -> AsyncIterator[SqliteSide | PostgresSide]:
    """Nothing is changed, and all is of one moment."""
    if isinstance(database, SqliteDatabase):
        async with _file(database, readonly=True) as file:
            yield file
    else:
        async with _server(database) as server:
            await server.begin_snapshot()
            yield server


@asynccontextmanager
async def _file(database: SqliteDatabase, *, readonly: bool) -> AsyncIterator[SqliteSide]:
    side = SqliteSide(database.path, place(database), readonly=readonly)
    try:
        yield side
    finally:
        side.close()


@asynccontextmanager
async def _server(database: PostgresDatabase) -> AsyncIterator[PostgresSide]:
    with explained():
        connection = await database.patiently()()
    try:
        yield PostgresSide(connection, place(database))
    finally:
        connection.terminate()
