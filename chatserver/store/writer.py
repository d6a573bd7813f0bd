"""The writer of SQLite: one thread, one connection, group commit.

What arrives while a commit is on its way to the disk goes into the next transaction together, so
the cost of one fsync is shared by all who wait for it.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from chatserver.chat.errors import ChatError, Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event
from chatserver.chat.ports import Commit, MessageDraft, Transaction
from chatserver.store.append import SqliteAppender
from chatserver.store.bounds import BATCH, require_room
from chatserver.store.transaction import SqlTransaction

log = logging.getLogger(__name__)


Work = Callable[[Transaction], Any] | MessageDraft


@dataclass(slots=True)
class Job:
    work: Work
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Batch:
    jobs: list[Job]
    events: list[Event] = field(default_factory=list)
    prompts: int = 0


class Writer:
    """Runs jobs in the order of `submit`, each atomic, many to a transaction. Made on its loop.

    `committed` is called on the event loop after each commit, in commit order, and before anybody
    who waits for a future of its jobs goes on. `observe(size, seconds)` hears of each transaction.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        committed: Callable[[Commit], None],
        observe: Callable[[int, float], None],
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._committed = committed
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Job] = []
        self._jobs: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._pending = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        return self._pending

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Queues a job. The future raises what the job raised, or `Unavailable`."""
        if self._closed:
            raise Unavailable("the store is closed")
        require_room(self._pending)
        job = Job(work, self._loop.create_future())
        self._pending += 1
        # All that one loop turn submits is handed over together: waking the thread for each job
        # would make the two contend for the interpreter.
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)
        return job.done

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._jobs.put(gathered)

    async def close(self) -> None:
        """Commits what was submitted, then ends the thread."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        # The last results were handed to the loop just before the thread ended.
        await asyncio.sleep(0)

    def _run(self) -> None:
        with self._engine.connect() as connection:
            running = True
            while running:
                batch, running = self._next_batch()
                if batch.jobs:
                    self._commit(connection, batch)

    def _next_batch(self) -> tuple[Batch, bool]:
        batch = Batch([])
        jobs = self._jobs.get()
        while jobs is not None:
            batch.jobs += jobs
            if len(batch.jobs) >= BATCH:
                return batch, True
            try:
                jobs = self._jobs.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, connection: Connection, batch: Batch) -> None:
        started = time.perf_counter()
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        appender = SqliteAppender(raw, self._limits)
        try:
            raw.execute("BEGIN IMMEDIATE")
            for job in batch.jobs:
                self._perform(connection, raw, appender, job, batch)
            appender.settle()
            raw.execute("COMMIT")
        except Exception as failure:  # the whole transaction is lost, whatever broke it
            self._abandon(raw, batch, failure)
        self._observe(len(batch.jobs), time.perf_counter() - started)
        self._loop.call_soon_threadsafe(self._deliver, batch)

    def _perform(
        self,
        connection: Connection,
        raw: sqlite3.Connection,
        appender: SqliteAppender,
        job: Job,
        batch: Batch,
    ) -> None:
        if isinstance(job.work, MessageDraft):
            try:
                appended, queued = appender.append(job.work)
            except ChatError as refusal:
                job.error = refusal
                return
            job.result = appended
            batch.prompts += queued
            if not appended.duplicate:
                batch.events.append(appended.message)
            return
        appender.settle()
        raw.execute("SAVEPOINT job")
        transaction = SqlTransaction(connection)
        try:
            job.result = job.work(transaction)
        except OperationalError:  # the disk, a lock: nobody's job can be trusted to be stored
            raise
        except Exception as refusal:
            raw.execute("ROLLBACK TO job")
            job.error = refusal
        else:
            batch.events.extend(transaction.appended)
            batch.prompts += transaction.replies.prompts
        raw.execute("RELEASE job")

    def _abandon(self, raw: sqlite3.Connection, batch: Batch, failure: Exception) -> None:
        log.error("a transaction of %d jobs failed", len(batch.jobs), exc_info=failure)
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        batch.events.clear()
        batch.prompts = 0
        for job in batch.jobs:
            job.error = Unavailable("the store did not accept the change; try again")

    def _deliver(self, batch: Batch) -> None:
        self._pending -= len(batch.jobs)
        # Who waits for a future runs in the loop's next turn, after `committed`; but before what
        # that leaves for the next turn, so that acks leave together with the events.
        for job in batch.jobs:
            if job.done.done():  # whoever waited has gone
                continue
            if job.error is not None:
                job.done.set_exception(job.error)
            else:
                job.done.set_result(job.result)
        if batch.events or batch.prompts:
            self._committed(Commit(tuple(batch.events), batch.prompts))
