"""`chatserver copy`."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from chatserver.cli.copy_view import Lines

SOURCE, TARGET = "SOURCE_URL", "TARGET_URL"


@click.command()
@click.argument("source_url", metavar=SOURCE)
@click.argument("target_url", metavar=TARGET)
def copy(source_url: str, target_url: str) -> None:
    """Copy a whole database into an empty one.

    From sqlite:///FILE to postgresql://USER:PASSWORD@HOST/DATABASE, back, or between two of a kind.
    The source is left as it is: a SQLite file that a server works on is refused, of a PostgreSQL
    database one moment is copied. The target is brought to the schema of this version first.

    Ends with 0 once counts and digests of both are the same. Until then no server starts on the
    target, and the same command goes on where it stopped, however that was.
    """
    from chatserver.cli.copy_view import Bar, Lines

    with Bar() if sys.stdout.isatty() else Lines() as view:
        asyncio.run(_copy(source_url, target_url, view))


async def _copy(source_url: str, target_url: str, view: "Lines") -> None:
    from chatserver.cli.copy_problems import broken, naming
    from chatserver.store.moving.open import source_at, target_at
    from chatserver.store.moving.run import copy as run
    from chatserver.store.open import database_at

    with naming(SOURCE, source_url):
        source_place = database_at(source_url)
    with naming(TARGET, target_url):
        target_place = database_at(target_url)
    async with AsyncExitStack() as opened:
        with naming(SOURCE, source_url):
            source = await opened.enter_async_context(source_at(source_place))
        with naming(TARGET, target_url):
            target = await opened.enter_async_context(target_at(target_place, source))
        with broken(source.shown):
            copied = await run(source, target, view)
    view.finished(copied)
