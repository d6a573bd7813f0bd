"""`chat.ports.Store` on PostgreSQL."""

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Appended, Commit, CommitListener, MessageDraft, Transaction
from chatserver.store.bounds import require_room
from chatserver.store.postgres.appends import Appends
from chatserver.store.postgres.connections import (
    ANSWER_SECONDS,
    KeptConnections,
    PostgresLimits,
    connector,
)
from chatserver.store.postgres.failures import Trouble, hush, trouble
from chatserver.store.postgres.fate import Mark, committed, mark
from chatserver.store.transaction import SqlTransaction

T = TypeVar("T")
log = logging.getLogger(__name__)

MAX_CLASHES = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5


class PostgresStore:
    """Between `open` and `close`, on one event loop. Any number may work on one database.

    Transactions are READ COMMITTED; the row of the session they look at is locked until their end
    (see `chat.ports.Transaction`), so those of one session take effect one after the other. Reads
    are REPEATABLE READ: one snapshot.

    Listeners hear of this process's commits as their answers arrive. Messages of a session that it
    appended are told in order; a transaction's events may be told after those of one that followed
    it, whose answer was faster. The feed puts that right by its cursor.
    """

    def __init__(
        self,
        dsn: str,
        limits: Limits,
        postgres: PostgresLimits | None = None,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        """`dsn` as for `connections.connector`. Connects when it is first needed."""
        self._postgres = postgres or PostgresLimits()
        self._connector = connect = connector(dsn, self._postgres)
        self._made: weakref.WeakSet[Any] = weakref.WeakSet()
        """The connections of the engine's pool."""
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=self._postgres.connections,
            max_overflow=0,
            pool_timeout=self._postgres.patience_seconds,
            # An error in the log must not show what people wrote.
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "handle_error", _lose_the_others_too)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._kept = KeptConnections(connect)
        self._limits = limits
        self._observe = observe
        self._listeners: list[CommitListener] = []
        self._appends: Appends | None = None
        self._transactions: set[asyncio.Task[Any]] = set()

    def open(self) -> None:
        """Begins to take messages; the running event loop will hear of commits."""
        self._appends = Appends(
            self._kept,
            self._limits,
            self._postgres.patience_seconds,
            self._committed,
            self._observe,
        )

    @property
    def pending(self) -> int:
        """Writes that wait for a commit."""
        return len(self._transactions) + (self._appends.pending if self._appends else 0)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` again where another transaction was in its way, or the connection was lost.

        A commit that got no answer is asked for afterwards. Only where that has none either, in the
        time of the settings, does `Unavailable` mean that the change may have been made after all.
        """
        self._require_open()
        require_room(len(self._transactions))
        # A caller who is cancelled must not take a commit along of which listeners need to hear.
        task = asyncio.create_task(self._transact(work))
        self._transactions.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        async def attempt() -> T:
            async with self._snapshots.connect() as connection:
                return await _on(connection, lambda sync: work(SqlTransaction(sync)))

        return await self._repeated(attempt)

    async def append_message(self, draft: MessageDraft) -> Appended:
        """A message whose commit got no answer is looked for by its client_message_id.

        After `Unavailable` it may be there; who sends it again with the same id cannot double it.
        """
        appends = self._require_open()
        return await appends.submit(draft)

    def subscribe(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    async def ping(self) -> None:
        """Raises `Unavailable` where the database does not answer."""
        await self.read(lambda tx: tx.sessions.get(""))

    async def close(self) -> None:
        """Commits what is under way and closes every connection.

        Takes hardly longer than one call may, whatever the server does.
        """
        appends, self._appends = self._appends, None
        while self._transactions:
            await asyncio.gather(*self._transactions, return_exceptions=True)
        if appends is not None:
            await appends.close()
        await self._kept.close()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._engine.dispose()
        except TimeoutError:  # a server that is silent does not say goodbye either
            for connection in self._made:
                connection.terminate()

    async def _connect(self) -> Any:
        connection = await self._connector()
        self._made.add(connection)
        return connection

    def _require_open(self) -> Appends:
        if self._appends is None:
            raise Unavailable("the store is not open")
        return self._appends

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._transactions.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even where whoever waited has gone

    def _committed(self, commit: Commit) -> None:
        for listener in self._listeners:
            listener(commit)

    async def _transact(self, work: Callable[[Transaction], T]) -> T:
        async def attempt() -> T:
            made: tuple[T, SqlTransaction] | None = None
            marked: Mark | None = None
            try:
                async with self._engine.connect() as connection:
                    made = await _on(connection, lambda sync: _worked(work, sync))
                    marked = await _checked(connection, mark(connection))
                    await _checked(connection, connection.commit())
            except Exception as failure:
                if made is None or marked is None or trouble(failure) is not Trouble.LOST:
                    raise
                if not await self._was_committed(marked, made[1]):
                    raise
            result, transaction = made
            if transaction.appended or transaction.replies.prompts:
                prompts = transaction.replies.prompts
                self._committed(Commit(tuple(transaction.appended), prompts))
            return result

        return await self._repeated(attempt)

    async def _was_committed(self, marked: Mark, made: SqlTransaction) -> bool:
        """Raises `Unavailable` where nobody knows."""
        if marked.xid is None:
            return True
        # The one of the call is long past where the commit itself was waited for in vain.
        deadline = time.monotonic() + self._postgres.patience_seconds
        known = await committed(self._engine, marked, made.appended, deadline)
        if known is None:
            log.error("the outcome of a transaction is not known")
            raise Unavailable("the store did not say whether it accepted the change; look again")
        return known

    async def _repeated(self, attempt: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """`attempt` until it succeeds, or fails for a reason that will not pass soon."""
        deadline = time.monotonic() + self._postgres.patience_seconds
        pause, clashes = FIRST_PAUSE, 0
        while True:
            try:
                return await attempt()
            except Exception as failure:
                what = trouble(failure)
                if what is None:
                    raise
                clashes += what is Trouble.CLASH
                if what is Trouble.CLASH and clashes == MAX_CLASHES:
                    raise
                if what in (Trouble.LATE, Trouble.HELD) or time.monotonic() >= deadline:
                    raise Unavailable("the store did not answer; try again") from failure
                log.info("a transaction is repeated: %s", type(failure).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _worked(work: Callable[[Transaction], T], connection: Connection) -> tuple[T, SqlTransaction]:
    transaction = SqlTransaction(connection, locking=True)
    return work(transaction), transaction


def _lose_the_others_too(context: ExceptionContext) -> None:
    """Where one connection of the pool is lost, each of the others would cost a call of its own."""
    if trouble(context.original_exception) is Trouble.LOST:
        context.is_disconnect = True


async def _on(connection: AsyncConnection, work: Callable[[Connection], T]) -> T:
    return await _checked(connection, connection.run_sync(work))


async def _checked(connection: AsyncConnection, doing: Coroutine[Any, Any, T]) -> T:
    """What a connection does. One that fell silent is not given to anybody else."""
    try:
        return await doing
    except Exception as failure:
        hush(failure)
        if trouble(failure) is Trouble.LOST and not connection.invalidated:
            await connection.invalidate(failure)
        raise
