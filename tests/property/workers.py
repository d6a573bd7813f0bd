"""Worker processes, as the store and the rooms see them: they may die or stand still any time."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, cast

from chatserver.chat.desk import ReplyDesk
from chatserver.chat.events import Signal
from chatserver.chat.limits import Limits
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import (
    Appended,
    Bot,
    Bots,
    Clock,
    CommitListener,
    Feed,
    MessageDraft,
    ReplyContext,
    Store,
    Transaction,
)
from chatserver.observability.metrics import Metrics
from chatserver.replies.pool import ReplyPool
from chatserver.replies.run import RunLimits

T = TypeVar("T")

LEASE = timedelta(seconds=10)
MAX_TAKEOVERS = 3
CONCURRENCY = 2
RUN_LIMITS = RunLimits(seconds=15, chars=400)

_process: contextvars.ContextVar["Worker | None"] = contextvars.ContextVar("process", default=None)


def start_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, T],
    context: contextvars.Context | None = None,
) -> asyncio.Task[T]:
    """A task factory: what a worker starts, at whatever remove, dies with it."""
    task = asyncio.Task(coro, loop=loop, context=context)
    worker = _process.get()
    if worker is not None:
        worker.tasks.add(task)
        task.add_done_callback(worker.tasks.discard)
    return task


@dataclass(frozen=True)
class Surroundings:
    """What all workers share."""

    store: Store
    feed: Feed
    bots: Bots
    clock: Clock
    limits: Limits


class Worker:
    """A pool whose every way out leads over this process, and ends when that is dead.

    It may be `paused`, and `doomed` to die by itself.
    """

    def __init__(self, around: Surroundings) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.dead = False
        self.died = asyncio.Event()
        """Set where it died by itself; `kill` then cleans up after it."""
        self._awake = asyncio.Event()
        self._awake.set()
        self._unsent: list[tuple[str, Signal]] = []
        self._feed = around.feed
        self.store = _WorkersStore(self, around.store)
        self.desk = ReplyDesk(
            store=self.store,
            feed=cast(Feed, self),
            clock=around.clock,
            lease=LEASE,
            window=lambda bot: 4,
            max_takeovers=MAX_TAKEOVERS,
            limits=around.limits,
        )
        self.pool = ReplyPool(
            desk=self.desk,
            feed=cast(Feed, self),
            bots=_WorkersBots(self, around.bots),
            metrics=Metrics(),
            concurrency=CONCURRENCY,
            limits=RUN_LIMITS,
        )

    def start(self) -> None:
        self._inside(self.pool.start)

    @property
    def paused(self) -> bool:
        return not self._awake.is_set()

    def pause(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()
        unsent, self._unsent = self._unsent, []
        for session_id, signal in unsent:
            self.signal(session_id, signal)

    async def kill(self) -> None:
        """Nothing that it does from now on reaches anybody, and its connections are closed."""
        self.dead = True
        left = list(self.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def drain(self) -> None:
        """Lets it end in order, which it may not live to see."""
        self.resume()
        draining = self._inside(lambda: asyncio.create_task(self.pool.drain(60)))
        death = asyncio.create_task(self.died.wait())
        await asyncio.wait([draining, death], return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        await self.kill()
        if not draining.cancelled():
            draining.result()

    async def at_work(self) -> None:
        """Returns once this process is not paused."""
        await self._awake.wait()

    def _inside(self, do: Callable[[], T]) -> T:
        """Does it as a part of this process."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return context.run(do)

    def signal(self, session_id: str, signal: Signal) -> None:
        """`chat.ports.Feed`, as far as workers use it."""
        if self.dead:
            return
        if self.paused:
            self._unsent.append((session_id, signal))
        else:
            self._feed.signal(session_id, signal)

    def reply_left(self, session_id: str, reply_id: str) -> None:
        """Nobody follows sessions here."""


class _Killed(Exception):
    """Rolls back the transaction that the process had begun."""


class _WorkersStore:
    """`chat.ports.Store`, as long as the worker lives and while it is awake."""

    def __init__(self, worker: Worker, store: Store) -> None:
        self._worker = worker
        self._store = store
        self._doom: tuple[int, bool] | None = None

    def doom(self, transaction: int, *, committed: bool) -> None:
        """The worker dies at that transaction from now on, before or after its commit."""
        self._doom = transaction, committed

    def spare(self) -> None:
        self._doom = None

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        await self._worker.at_work()
        last = self._is_last()
        if last is False:
            await self._die()

        def while_alive(tx: Transaction) -> T:
            if self._worker.dead:
                raise _Killed
            return work(tx)

        try:
            result = await self._store.transact(while_alive)
        except _Killed:
            await self._never()
        if last:
            await self._die()
        await self._worker.at_work()
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        await self._worker.at_work()
        return await self._store.read(work)

    async def append_message(self, draft: MessageDraft) -> Appended:
        raise AssertionError("workers send no messages of people")

    def subscribe(self, listener: CommitListener) -> None:
        raise AssertionError("workers hear of commits from the stage")

    def _is_last(self) -> bool | None:
        """Whether to die of this transaction, and whether with (True) or without its commit."""
        if self._doom is None:
            return None
        left, committed = self._doom
        self._doom = left - 1, committed
        return committed if left == 1 else None

    async def _die(self) -> None:
        if self._doom is None:  # spared at last
            return
        self._worker.dead = True
        self._worker.died.set()
        await self._never()

    async def _never(self) -> NoReturn:
        """What a dead process waits for."""
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody resolves it")


class _WorkersBots:
    """`chat.ports.Bots`."""

    default = None

    def __init__(self, worker: Worker, bots: Bots) -> None:
        self._worker = worker
        self._bots = bots

    def all(self) -> list[BotInfo]:
        return self._bots.all()

    def get(self, name: str) -> Bot | None:
        bot = self._bots.get(name)
        return None if bot is None else _WorkersBot(self._worker, bot)


class _WorkersBot:
    """`chat.ports.Bot`: hears nothing while the worker is paused."""

    def __init__(self, worker: Worker, bot: Bot) -> None:
        self._worker = worker
        self._bot = bot
        self.info = bot.info

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        async with aclosing(cast(Any, self._bot.reply(context))) as pieces:
            async for piece in pieces:
                await self._worker.at_work()
                yield piece
