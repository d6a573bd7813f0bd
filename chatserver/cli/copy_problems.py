"""What keeps `chatserver copy` from its work, in words that name the argument and what helps."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from chatserver.cli.problems import explain_database, unusable_file
from chatserver.store.moving.errors import (
    CopiesDiffer,
    CopyRefused,
    OtherCopy,
    SameDatabase,
    SideFailed,
    SourceMissing,
    TargetInUse,
    TargetNotEmpty,
    Unstorable,
)
from chatserver.store.open import shown

AGAIN = "the same command goes on from where it stopped"


@contextmanager
def naming(argument: str, url: str) -> Iterator[None]:
    """While one side is opened: nothing was copied yet."""
    try:
        yield
    except Exception as problem:
        message = _refused(problem, argument, url)
        if message is None:
            raise
        raise click.ClickException(message) from problem


@contextmanager
def broken(source: str) -> Iterator[None]:
    """While rows are copied from `source`, as it calls itself."""
    try:
        yield
    except CopiesDiffer as problem:
        raise click.ClickException(
            f"the copy is not what its source is, in: {problem}; nothing may use the target. Look "
            "for triggers and other programs there, then copy again"
        ) from problem
    except Unstorable as problem:
        raise click.ClickException(
            f"SOURCE_URL: a row cannot be stored in the target: {problem}; mend it in the source, "
            f"then {AGAIN}"
        ) from problem
    except SideFailed as problem:
        argument = "SOURCE_URL" if problem.shown == source else "TARGET_URL"
        raise click.ClickException(
            f"{argument}: {problem.shown} failed: {problem}; once that is mended, {AGAIN}"
        ) from problem


def _refused(problem: Exception, argument: str, url: str) -> str | None:
    database = shown(url)
    match problem:
        case SourceMissing():
            return f"{argument}: cannot copy {database}: {problem}; check the URL"
        case SameDatabase():
            return f"{argument}: {database} is the source itself; name another database"
        case TargetNotEmpty():
            return (
                f"{argument}: {database} is not empty ({problem}); copy into an empty database, or "
                "into a file that does not exist"
            )
        case OtherCopy():
            return (
                f"{argument}: {database} is the unfinished copy of {problem}; finish that one, or "
                "copy into another database"
            )
        case TargetInUse():
            return (
                f"{argument}: {database} is in use ({problem}); stop what works on it, servers "
                "first of all"
            )
        case CopyRefused():
            return f"{argument}: cannot use {database}: {problem}"
        case SideFailed():
            return (
                f"{argument}: cannot use {database}: {problem}; check that it is a database of "
                "chatserver that you may read and write"
            )
        case OSError():
            return unusable_file(problem, argument, url)
    return explain_database(problem, argument, url)
