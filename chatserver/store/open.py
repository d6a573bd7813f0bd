"""Which database a URL means, and the store on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
from sqlalchemy import make_url

from chatserver.chat.limits import Limits
from chatserver.chat.ports import Store
from chatserver.store.migrate import (
    migrate,
    migrate_postgres,
    require_current,
    revision,
    revision_postgres,
)
from chatserver.store.postgres.connections import Connect, PostgresLimits, connector
from chatserver.store.postgres.failures import Trouble, trouble
from chatserver.store.postgres.store import PostgresStore
from chatserver.store.sqlite import FileLock, SqliteStore

POSTGRES = {"postgres", "postgresql", "postgresql+asyncpg"}
NO_TIMEOUT = 0.0
Observe = Callable[[int, float], None]


class UnsupportedDatabase(Exception):
    """A URL that names neither a SQLite file nor a PostgreSQL database."""


class DatabaseRefused(Exception):
    """The PostgreSQL server did not let us in. The message says why, and what helps."""


class OpenableStore(Store, Protocol):
    """A store as its owner knows it."""

    @property
    def pending(self) -> int:
        """Writes that wait for a commit."""
        ...

    def open(self) -> None: ...
    async def ping(self) -> None:
        """Raises `Unavailable` where the database does not answer."""
        ...

    async def close(self) -> None: ...


class Database(Protocol):
    """Where everything is kept, before it is opened."""

    @property
    def shown(self) -> str:
        """Its URL without what is secret in it."""
        ...

    @property
    def exclusive(self) -> bool:
        """Whether `acquire` keeps every other server away."""
        ...

    def acquire(self) -> None:
        """Raises `DatabaseInUse` where another server has it for itself."""
        ...

    def release(self) -> None: ...
    def migrate(self, *, unfinished: bool = False) -> str | None:
        """Blocks; in a thread without an event loop. See `store.migrate`.

        Raises `DatabaseRefused`, `SchemaTooNew`, `UnfinishedCopy`, SQLAlchemy's errors.
        """
        ...

    def require_current(self) -> None:
        """Changes nothing. Blocks as `migrate`; raises what it raises, and `SchemaTooOld`."""
        ...

    def store(self, limits: Limits, observe: Observe) -> OpenableStore: ...


def database_at(
    url: str, postgres: PostgresLimits | None = None
) -> "SqliteDatabase | PostgresDatabase":
    """Raises `UnsupportedDatabase`."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in POSTGRES:
        return PostgresDatabase(f"postgresql://{rest}", postgres or PostgresLimits())
    try:
        parsed = make_url(url)
    except Exception as failure:
        raise UnsupportedDatabase(url.partition(":")[0]) from failure
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise UnsupportedDatabase(parsed.drivername)
    # Two names of one file are one database, with one lock.
    return SqliteDatabase(Path(parsed.database).resolve())


def shown(url: str) -> str:
    """Without a password, wherever it stands, and whatever else might be one."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] == "sqlite":
        return url
    place = rest.partition("?")[0].partition("#")[0]
    credentials, at, where = place.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}{at}{where}"


class SqliteDatabase:
    """One file, one server."""

    exclusive = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path)
        self.shown = f"sqlite:///{path}"

    def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()

    def migrate(self, *, unfinished: bool = False) -> str | None:
        return migrate(f"sqlite:///{self.path}", unfinished=unfinished)

    def require_current(self) -> None:
        require_current(revision(self.path))

    def store(self, limits: Limits, observe: Observe) -> SqliteStore:
        return SqliteStore(self.path, limits, observe)


class PostgresDatabase:
    """A server's database, shared by any number of instances."""

    exclusive = False

    def __init__(self, dsn: str, limits: PostgresLimits) -> None:
        self._dsn = dsn
        self._limits = limits
        self.shown = shown(dsn)

    def acquire(self) -> None:
        """Nobody is kept away."""

    def release(self) -> None:
        pass

    def migrate(self, *, unfinished: bool = False) -> str | None:
        with explained():
            return migrate_postgres(self.patiently(), unfinished=unfinished)

    def patiently(self) -> Connect:
        """Connections whose statements may take as long as they like.

        A table may take long to change, and the other instances wait for it.
        """
        patient = PostgresLimits(
            statement_seconds=NO_TIMEOUT,
            lock_seconds=NO_TIMEOUT,
            patience_seconds=self._limits.patience_seconds,
        )
        return connector(self._dsn, patient)

    def require_current(self) -> None:
        with explained():
            found = revision_postgres(connector(self._dsn, self._limits))
        require_current(found)

    def store(self, limits: Limits, observe: Observe) -> PostgresStore:
        return PostgresStore(self._dsn, limits, self._limits, observe)


@contextmanager
def explained() -> Iterator[None]:
    """Turns a refusal of PostgreSQL's into `DatabaseRefused`."""
    try:
        yield
    except Exception as failure:
        reason = _refusal(failure)
        if reason is None:
            raise
        raise DatabaseRefused(reason) from None  # its traceback would show the password


def _refusal(failure: Exception) -> str | None:
    """Why we cannot work there. None where that is not what failed."""
    cause = getattr(failure, "orig", None)
    known = getattr(cause, "__cause__", None) or cause or failure
    match known:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"{known}; check the user and the password"
        case asyncpg.InvalidCatalogNameError():
            return f"{known}; create it (createdb), or name another"
        case asyncpg.InsufficientPrivilegeError():
            return f"{known}; let its user create tables there"
        case asyncpg.ClientConfigurationError() | ValueError():
            return "not a URL of PostgreSQL; write postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        case TimeoutError():
            return "the server does not answer; check host, port and firewall"
        case OSError():
            return f"{known.strerror or known}; check host and port, and that the server is running"
    if trouble(failure) is Trouble.LOST:
        return f"{known}; try again once the server accepts connections"
    return None
