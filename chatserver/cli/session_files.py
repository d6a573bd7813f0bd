"""`chatserver export` and `chatserver import`."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO, TYPE_CHECKING

import click

from chatserver.cli.options import database_option, load_settings
from chatserver.settings import Settings

if TYPE_CHECKING:
    from chatserver.chat.ports import Transaction
    from chatserver.store.open import Database, OpenableStore

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export")
@click.argument("session_id")
@click.option("--output", type=FILE, metavar="FILE", help="write there, not to stdout")
@database_option
def export_session(session_id: str, output: Path | None, database_url: str | None) -> None:
    """Write one session as JSON Lines.

    With all events, replies and members, as of one moment; whether or not a server is running.
    Tokens and invites are not in it, and of deleted messages there is no text. An output file
    appears once it is complete, readable by you alone.
    """
    settings = load_settings(database_url=database_url)
    from chatserver.cli.session_problems import explained

    with explained(settings, "--output", output), _written(output) as file:
        asyncio.run(_export(settings, session_id, file))


async def _export(settings: Settings, session_id: str, file: IO[bytes]) -> None:
    from chatserver.chat.archive.saving import save_session
    from chatserver.cli.session_problems import Unwritten
    from chatserver.compose.database import database
    from chatserver.store.moving.open import require_readable

    place = database(settings)
    await require_readable(place)

    def work(tx: "Transaction") -> int:
        # From the start: a store may ask for it again where its connection was lost.
        try:
            file.seek(0)
            file.truncate()
            return save_session(tx, session_id, file.write)
        except OSError as failure:
            # Not as its cause: the store would take that for a connection that was lost.
            raise Unwritten(str(failure.strerror)) from None

    async with _store(place, settings) as store:
        events = await store.read(work)
    click.echo(f"{events} events", err=True)


@contextmanager
def _written(output: Path | None) -> Iterator[IO[bytes]]:
    """What is written becomes the output as a whole, or not at all."""
    if output is None:
        with tempfile.TemporaryFile() as spooled:
            yield spooled
            spooled.seek(0)
            copyfileobj(spooled, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    with tempfile.NamedTemporaryFile(
        dir=output.parent, prefix=f".{output.name}.", delete=False
    ) as file:
        partial = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(output)
        except BaseException:
            partial.unlink()
            raise


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-new", is_flag=True, help="give the session and its replies new ids")
@database_option
def import_session(file: Path, as_new: bool, database_url: str | None) -> None:
    """Store a session that `chatserver export` wrote, and print its id.

    Every line is checked before anything is stored, and all of it is stored at once; whether or not
    a server is running. A session that is there, or was deleted there, is refused, unless --as-new.
    Replies that were under way are given by the bots of this server.
    """
    settings = load_settings(database_url=database_url)
    from chatserver.cli.session_problems import explained

    with explained(settings, "FILE", file), file.open("rb") as lines:
        session_id = asyncio.run(_import(settings, lines, as_new=as_new))
    click.echo(session_id)


async def _import(settings: Settings, file: IO[bytes], *, as_new: bool) -> str:
    from chatserver.chat.archive.loading import check_archive, lines_of, load_session
    from chatserver.chat.use_cases import new_id
    from chatserver.compose.database import database, prepare
    from chatserver.observability.clock import SystemClock

    # Before the database is so much as opened; and a running server waits for us less long.
    check_archive(lines_of(file))
    place = database(settings)
    await prepare(place, settings)
    now, id = SystemClock().now(), new_id() if as_new else None
    async with _store(place, settings) as store:
        return await store.transact(lambda tx: load_session(tx, lines_of(file), now, id))


@asynccontextmanager
async def _store(place: "Database", settings: Settings) -> "AsyncIterator[OpenableStore]":
    store = place.store(settings.limits(), lambda size, seconds: None)
    store.open()
    try:
        yield store
    finally:
        await store.close()
