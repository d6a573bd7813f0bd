"""The store on SQLite: a complete server's truth in one file."""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Appended, Commit, CommitListener, MessageDraft, Transaction
from chatserver.store.transaction import SqlTransaction
from chatserver.store.writer import Work, Writer

T = TypeVar("T")

READERS = 2


class DatabaseInUse(Exception):
    """Another server works on this file."""


class FileLock:
    """Held by a server for its database file; the kernel frees it however the process ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._fd: int | None = None

    def acquire(self) -> None:
        """Raises `DatabaseInUse` where another process holds it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise DatabaseInUse(str(self._path)) from None
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def sqlite_engine(path: Path) -> Engine:
    """An engine whose transactions are begun by hand, durable at commit (G1)."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        # An error in the log must not show what people wrote.
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        # A connection stays with the thread that uses it; only closing may happen elsewhere.
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


class SqliteStore:
    """`chat.ports.Store` on one file, between `open` and `close`."""

    def __init__(
        self,
        path: Path,
        limits: Limits,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        self._engine = sqlite_engine(path)
        self._limits = limits
        self._observe = observe
        self._listeners: list[CommitListener] = []
        self._writer: Writer | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._opened: list[Connection] = []

    def open(self) -> None:
        """Starts the writer; the running event loop is the one that will hear of commits."""
        self._writer = Writer(self._engine, self._limits, self._committed, self._observe)

    @property
    def pending(self) -> int:
        """Writes that wait for the current commit."""
        return self._writer.pending if self._writer else 0

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        result: T = await self._submit(work)
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, work)

    async def append_message(self, draft: MessageDraft) -> Appended:
        appended: Appended = await self._submit(draft)
        return appended

    def subscribe(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    async def ping(self) -> None:
        """Raises `Unavailable` where the database does not answer."""
        await self.read(lambda tx: tx.sessions.get(""))

    async def close(self) -> None:
        """Commits what is under way and closes every connection."""
        if self._writer is not None:
            await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._opened:
            connection.close()
        self._engine.dispose()

    def _submit(self, work: Work) -> asyncio.Future[Any]:
        if self._writer is None:
            raise Unavailable("the store is not open")
        return self._writer.submit(work)

    def _committed(self, commit: Commit) -> None:
        for listener in self._listeners:
            listener(commit)

    def _read(self, work: Callable[[Transaction], T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            self._opened.append(connection)
        try:
            connection.exec_driver_sql("BEGIN")
            try:
                return work(SqlTransaction(connection))
            finally:
                connection.exec_driver_sql("ROLLBACK")
        except DBAPIError as failure:
            raise Unavailable("the store did not answer; try again") from failure
