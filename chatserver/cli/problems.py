"""What keeps a command from its work, in words that name the setting and what helps."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError

from chatserver.addresses import BadNetwork
from chatserver.bot_settings import UnknownSummaryBot
from chatserver.bots.corpus import EmptyCorpus
from chatserver.bots.file import BadBotsFile
from chatserver.bots.registry import UnknownDefaultBot
from chatserver.realtime.bus_redis.address import BadRedisUrl
from chatserver.realtime.bus_redis.reach import RedisRefused
from chatserver.settings import Settings
from chatserver.store.migrate import SchemaTooNew, SchemaTooOld, UnfinishedCopy
from chatserver.store.open import DatabaseRefused, UnsupportedDatabase, shown
from chatserver.store.sqlite import DatabaseInUse
from chatserver.worker import NeedsRedis, NeedsReplies, NeedsSharedDatabase

DATABASE = "CHATSERVER_DATABASE_URL (--database)"
REDIS = "CHATSERVER_REDIS_URL (REDIS_URL)"
HOST = "CHATSERVER_HOST (--host)"
PORT = "CHATSERVER_PORT (--port)"
WORKER_PORT = "CHATSERVER_WORKER_PORT (--port)"
REPLIES = "CHATSERVER_REPLIES_CONCURRENCY (--replies)"
CORPUS = "CHATSERVER_CORPUS_FILE"
BOTS = "CHATSERVER_BOTS_FILE"


@contextmanager
def explained(settings: Settings, port: tuple[str, int | None] | None = None) -> Iterator[None]:
    """Turns what an operator can mend into a `click.ClickException`; defects pass.

    `port` is the one that is listened on, after the name of its setting.
    """
    try:
        yield
    except Exception as problem:
        message = explain(problem, settings, port)
        if message is None:
            raise
        raise click.ClickException(message) from problem


def explain(
    problem: Exception, settings: Settings, port: tuple[str, int | None] | None = None
) -> str | None:
    """None for what is no problem of the settings or of the machine. `port` as for `explained`."""
    message = explain_database(problem, DATABASE, settings.database_url)
    if message is not None:
        return message
    match problem:
        case NeedsSharedDatabase():
            return (
                f"{DATABASE}: a worker cannot share {shown(settings.database_url)}, which belongs "
                "to its server alone; give both postgresql://USER:PASSWORD@HOST/DATABASE, or let "
                "the server run the replies (chatserver serve --replies 100)"
            )
        case NeedsRedis():
            return (
                f"{REDIS}: not given, and without it no server hears what a worker writes; give "
                "the URL that the servers have"
            )
        case NeedsReplies():
            return f"{REPLIES}: a worker that runs 0 replies does nothing; give it --replies 100"
        case RedisRefused():
            return (
                f"{REDIS}: cannot use {_redis(settings)}: {problem}; or leave the setting out "
                "where there is one instance only"
            )
        case BadRedisUrl():
            return f"{REDIS}: {problem}; leave it out where there is one instance only"
        case UnknownDefaultBot():
            return f"CHATSERVER_DEFAULT_BOT: there is no bot {problem}; see chatserver bots"
        case UnknownSummaryBot():
            return (
                f"CHATSERVER_SUMMARY_BOT: there is no bot {problem} that a model speaks for; see "
                "chatserver bots"
            )
        case BadBotsFile():
            return f"{BOTS}: {problem}"
        case EmptyCorpus() | UnicodeDecodeError():
            return f"{CORPUS}: {settings.corpus_file} is not a text file with a line in it"
        case OSError():
            return _explain_os_error(problem, settings, *(port or (PORT, settings.port)))
        case UnicodeError() if _is_no_name(settings.host):
            return f"{HOST}: {settings.host} cannot be a name; try 127.0.0.1 or 0.0.0.0"
        case BadNetwork():
            return f"CHATSERVER_TRUSTED_PROXIES: {problem}; write addresses or networks"
    return None


def explain_database(problem: Exception, setting: str, url: str) -> str | None:
    """The same for one database, whose URL comes from `setting`."""
    database = shown(url)
    match problem:
        case UnsupportedDatabase():
            return (
                f"{setting}: {problem} is not supported; write sqlite:///FILE, or "
                "postgresql://USER:PASSWORD@HOST/DATABASE"
            )
        case DatabaseRefused():
            return f"{setting}: cannot use {database}: {problem}"
        case DatabaseInUse():
            return (
                f"{setting}: another server works on {database}; stop that one, or "
                "give this one another file"
            )
        case SchemaTooNew():
            return (
                f"{setting}: {database} was migrated by a later version of "
                f"chatserver (revision {problem}); install that version, or use another database"
            )
        case SchemaTooOld():
            return (
                f"{setting}: {database} is of an earlier version of chatserver (revision "
                f"{problem}); bring it up to date first: chatserver migrate --database URL"
            )
        case UnfinishedCopy():
            return (
                f"{setting}: {database} is the unfinished copy of {problem}; finish it with the "
                "same chatserver copy, or use another database"
            )
        case SQLAlchemyError():
            cause = str(getattr(problem, "orig", None) or problem)
            where = ", in a folder that exists and may be written to"
            return (
                f"{setting}: cannot use {database}: {cause}; check that it is a database of "
                f"chatserver{where if database.startswith('sqlite') else ' alone'}"
            )
    return None


def _is_no_name(host: str) -> bool:
    """Whether it breaks the rules of names, such as that no part is longer than 63 letters."""
    try:
        host.encode("idna")
    except UnicodeError:
        return True
    return False


def _redis(settings: Settings) -> str:
    url = settings.redis_url
    return shown(url.get_secret_value()) if url is not None else ""


def _explain_os_error(
    problem: OSError, settings: Settings, setting: str, port: int | None
) -> str | None:
    where = f"{settings.host}:{port}"
    match problem.errno:
        case errno.EADDRINUSE:
            return (
                f"{setting}: {where} is taken by another program; stop that one, or choose another "
                "port (0 takes a free one)"
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"{HOST}: {settings.host} is no address of this machine; try 127.0.0.1 or 0.0.0.0"
            )
    if isinstance(problem, socket.gaierror):
        return f"{HOST}: {settings.host} is not known; try 127.0.0.1 or 0.0.0.0"
    if problem.filename is None:
        if problem.errno in (errno.EACCES, errno.EPERM):
            return f"{setting}: {where} may not be listened on; choose a port above 1023"
        return None
    if settings.corpus_file is not None and str(problem.filename) == str(settings.corpus_file):
        return f"{CORPUS}: cannot read {settings.corpus_file}: {problem.strerror}"
    if settings.bots_file is not None and str(problem.filename) == str(settings.bots_file):
        return f"{BOTS}: cannot read {settings.bots_file}: {problem.strerror}"
    return unusable_file(problem, DATABASE, settings.database_url)


def unusable_file(problem: OSError, setting: str, url: str) -> str:
    return (
        f"{setting}: cannot use {shown(url)}: {problem.strerror}; choose a file in a "
        "folder that exists and may be written to"
    )
