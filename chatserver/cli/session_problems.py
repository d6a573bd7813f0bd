"""What keeps a session from being exported or imported, in words that say what helps."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from chatserver.chat.archive.errors import BadArchive, OtherParticipant, SessionExists
from chatserver.chat.errors import ChatError, NotFound
from chatserver.cli.problems import DATABASE, explain
from chatserver.settings import Settings
from chatserver.store.moving.errors import SideFailed, SourceMissing
from chatserver.store.open import shown

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Unwritten(Exception):
    """The session could not be written where it should be. Says why."""


@contextmanager
def explained(settings: Settings, argument: str, file: Path | None) -> Iterator[None]:
    """Turns what an operator can mend into a `click.ClickException`; defects pass."""
    try:
        yield
    except Exception as problem:
        message = _explain(problem, settings, argument, file)
        if message is None:
            raise
        raise click.ClickException(message) from problem


def _explain(
    problem: Exception, settings: Settings, argument: str, file: Path | None
) -> str | None:
    database = shown(settings.database_url)
    match problem:
        case BadArchive():
            return f"{argument}: {file} is not what chatserver export writes: {problem}"
        case SessionExists(deleted=True):
            return (
                f"{argument}: session {problem} was deleted in {database}, and its id is never "
                "given again; --as-new gives it another"
            )
        case SessionExists():
            return (
                f"{argument}: session {problem} is in {database} already; --as-new stores it a "
                "second time, under another id"
            )
        case OtherParticipant():
            return (
                f"{argument}: participant {problem} is somebody else in {database}; import into "
                "another database"
            )
        case NotFound():
            return f"SESSION_ID: there is no such session in {database}"
        case ChatError():
            return f"{DATABASE}: {database}: {problem.message}"
        case SourceMissing() | SideFailed():
            return f"{DATABASE}: cannot read {database}: {problem}"
        case Unwritten():
            return _no_room(argument, file, str(problem))
        case OSError() if problem.errno in FULL and problem.filename is None:
            return _no_room(argument, file, str(problem.strerror))
        case OSError() if file is not None and _is_about(problem, file):
            return f"{argument}: cannot use {file}: {problem.strerror}"
    return explain(problem, settings)


def _no_room(argument: str, file: Path | None, why: str) -> str:
    where = file or "stdout (by way of the folder for temporary files, TMPDIR)"
    return f"{argument}: cannot write {where}: {why}; make room there, or write elsewhere"


def _is_about(problem: OSError, file: Path) -> bool:
    return problem.filename is not None and Path(problem.filename).parent == file.parent
