"""Group commit: messages that arrive while a batch is on its way go into the next one.

One batch at a time takes the sessions that nobody else holds, and waits for nobody. A session that
was in use gets a queue and batches of its own, which wait for it and hold it, until its queue is
empty. So who sits on one session, or on what somebody used, holds up no other, and instances that
all write to one take turns.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Appended, Commit, MessageDraft
from chatserver.store.bounds import BATCH, require_room
from chatserver.store.postgres.batch import Draft, Result, append_free, append_locked
from chatserver.store.postgres.connections import KeptConnections
from chatserver.store.postgres.failures import Trouble, hush, trouble

log = logging.getLogger(__name__)

LANES = 4
"""Sessions in use that are waited for at the same time."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5


@dataclass(slots=True)
class Job(Draft):
    done: asyncio.Future[Appended] = field(kw_only=True)
    submitted: float = field(kw_only=True)


class _Held(Exception):
    """Another transaction did not give up its lock in time."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


class Appends:
    """`committed` hears of each commit before anybody who waits for one of its messages goes on;

    of one session in the order of its log. What it raises is logged. `observe(size, seconds)`
    hears of each batch.
    """

    def __init__(
        self,
        connections: KeptConnections,
        limits: Limits,
        patience: float,
        committed: Callable[[Commit], None],
        observe: Callable[[int, float], None],
    ) -> None:
        self._connections = connections
        self._limits = limits
        self._patience = patience
        self._committed = committed
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Job] = []
        self._in_use: dict[str, list[Job]] = {}
        self._lanes = asyncio.Semaphore(LANES)
        self._appending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.pending = 0

    def submit(self, draft: MessageDraft) -> asyncio.Future[Appended]:
        """The future raises what `Store.append_message` does."""
        require_room(self.pending)
        job = Job(draft, done=self._loop.create_future(), submitted=time.monotonic())
        self.pending += 1
        queue = self._in_use.get(draft.session_id)
        if queue is not None:
            queue.append(job)
            return job.done
        self._waiting.append(job)
        self._go_on()
        return job.done

    async def close(self) -> None:
        """Appends what was submitted."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _append_free(self) -> None:
        try:
            while jobs := self._next_free():
                try:
                    left = await self._attempt(jobs, append_free)
                except _Held:
                    # One of them had to wait after all. In lanes of their own it hurts no other.
                    left = jobs
                for job in left:
                    self._wait_for_session(job)
        finally:
            self._appending = None
            self._go_on()

    def _go_on(self) -> None:
        """Nobody is left waiting, whatever failed in the middle."""
        if self._waiting and self._appending is None and not self._loop.is_closed():
            self._appending = self._start(self._append_free())

    def _next_free(self) -> list[Job]:
        jobs, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        free = []
        for job in jobs:
            if job.draft.session_id in self._in_use:
                self._wait_for_session(job)
            else:
                free.append(job)
        return free or (self._next_free() if self._waiting else [])

    def _wait_for_session(self, job: Job) -> None:
        session_id = job.draft.session_id
        queue = self._in_use.get(session_id)
        if queue is None:
            self._in_use[session_id] = [job]
            self._start(self._append_locked(session_id))
        else:
            queue.append(job)

    async def _append_locked(self, session_id: str) -> None:
        try:
            while self._in_use[session_id]:
                # For each batch anew, so that a fifth session has its turn too.
                async with self._lanes:
                    queue = self._in_use[session_id]
                    jobs, self._in_use[session_id] = queue[:BATCH], queue[BATCH:]
                    try:
                        left = await self._attempt(jobs, append_locked)
                    except _Held as held:
                        self._abandon(jobs, held.failure)
                        left = ()
                    self._in_use[session_id][:0] = left
        finally:
            self._waiting += self._in_use.pop(session_id)
            self._go_on()

    async def _attempt(
        self,
        jobs: Sequence[Job],
        append: Callable[..., Coroutine[Any, Any, Result]],
    ) -> Sequence[Job]:
        """Repeats until it is known what became of each job. Returns those left over.

        Raises `_Held`, having changed nothing, where a lock was waited for in vain.
        """
        deadline = max(job.submitted for job in jobs) + self._patience
        pause = FIRST_PAUSE
        while True:
            started = time.perf_counter()
            try:
                async with self._connections.take() as connection:
                    result = await append(connection, jobs, self._limits)
            except Exception as failure:
                hush(failure)
                what = trouble(failure)
                if what is Trouble.LOST:
                    # The next attempt will find what this one stored after all.
                    for job in jobs:
                        job.unsure = True
                if what is Trouble.HELD:
                    raise _Held(failure) from failure
                again = what in (Trouble.LOST, Trouble.CONFLICT, Trouble.CLASH)
                if not again or time.monotonic() >= deadline:
                    self._abandon(jobs, failure)
                    return ()
                log.warning("appending %d messages again: %s", len(jobs), type(failure).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            self._observe(len(jobs), time.perf_counter() - started)
            return self._deliver(jobs, result)

    def _deliver(self, jobs: Sequence[Job], result: Result) -> Sequence[Job]:
        left = []
        # Who waits for a future runs in the loop's next turn, after `committed`; but before what
        # that leaves for the next turn, so that acks leave together with the events.
        for job in jobs:
            if job.appended is None and job.refusal is None:
                left.append(job)
                continue
            self.pending -= 1
            if job.done.done():  # whoever waited has gone
                continue
            if job.refusal is not None:
                job.done.set_exception(job.refusal)
            elif job.appended is not None:
                job.done.set_result(job.appended)
        if result.events or result.prompts:
            try:
                self._committed(Commit(tuple(result.events), result.prompts))
            except Exception:
                # Its defect; those left over must not suffer from it.
                log.exception("a listener failed at a commit")
        return left

    def _abandon(self, jobs: Sequence[Job], failure: Exception) -> None:
        # A database that is away is told in one line; anything else is a defect.
        defect = failure if trouble(failure) is None else None
        name = type(failure).__name__
        log.error("a batch of %d messages failed: %s", len(jobs), name, exc_info=defect)
        self.pending -= len(jobs)
        for job in jobs:
            if not job.done.done():
                job.done.set_exception(Unavailable("the store did not answer; try again"))
