"""Where a program is played: sessions, bots with models behind them, and the workers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai import OpenAiBot
from chatserver.bots.registry import BotRegistry
from chatserver.chat.errors import Unavailable
from chatserver.chat.events import ReplyDelta, Signal
from chatserver.chat.limits import Limits
from chatserver.chat.models import Participant, ReplyState
from chatserver.chat.ports import Appended, Commit, CommitListener, MessageDraft, Transaction
from chatserver.chat.service import ChatService
from chatserver.observability.metrics import Metrics
from chatserver.observability.model_use import ModelUse
from chatserver.store.sqlite import SqliteStore
from chatserver.testing import Behaviour, FakeModel
from tests.property.leaping import LeapingClock, LeapingLoop
from tests.property.workers import Surroundings, Worker

T = TypeVar("T")

LIMITS = Limits(queued_replies_per_session=6, running_replies_per_participant=2)
WORKERS = 2


class WatchedStore:
    """`chat.ports.Store` that may be unavailable, and looks at who runs after each transaction."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.available = asyncio.Event()
        self.available.set()
        self.sessions: list[str] = []
        self.began: dict[str, list[str]] = {}
        """By session: the replies in the order in which they first ran."""
        self.side_by_side: list[list[str]] = []
        """Replies of one session that ran at the same time."""

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        self._require()

        def watched(tx: Transaction) -> T:
            result = work(tx)
            self._look(tx)
            return result

        return await self._store.transact(watched)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        self._require()
        return await self._store.read(work)

    async def append_message(self, draft: MessageDraft) -> Appended:
        self._require()
        return await self._store.append_message(draft)

    def subscribe(self, listener: CommitListener) -> None:
        self._store.subscribe(listener)

    def _require(self) -> None:
        if not self.available.is_set():
            raise Unavailable("an outage")

    def _look(self, tx: Transaction) -> None:
        for session_id in self.sessions:
            active = tx.replies.active(session_id)
            running = [reply.reply_id for reply in active if reply.state is ReplyState.RUNNING]
            if len(running) > 1:
                self.side_by_side.append(running)
            began = self.began.setdefault(session_id, [])
            began += [reply_id for reply_id in running if reply_id not in began]


class Stage:
    """Between `open` and its end. `signals` are what the rooms were told, in order."""

    def __init__(
        self, database: Path, store: SqliteStore, bots: list[OpenAiBot], models: list[FakeModel]
    ) -> None:
        self.database = sqlite3.connect(database)
        self.database.row_factory = sqlite3.Row
        self.store = WatchedStore(store)
        self.models = models
        self.signals: list[Signal] = []
        self.text_came = asyncio.Event()
        self.hints = True
        self.workers: list[Worker] = []
        self._changing = asyncio.Lock()
        self._aside: set[asyncio.Task[None]] = set()
        self._around = Surroundings(
            store=self.store,
            feed=cast(Any, self),
            bots=BotRegistry(bots, None),
            clock=LeapingClock(),
            limits=LIMITS,
        )
        self.service = ChatService(
            store=self.store,
            feed=cast(Any, self),
            bots=self._around.bots,
            nudge=self,
            summarizer=cast(Any, None),
            clock=self._around.clock,
            limits=LIMITS,
        )
        store.subscribe(self._committed)

    # --- what the service and the workers have around them ------------------------------------

    def signal(self, session_id: str, signal: Signal) -> None:
        """`chat.ports.Feed`, as far as it is used here; so are the two below."""
        self.signals.append(signal)
        if isinstance(signal, ReplyDelta):
            self.text_came.set()

    def notify(self, participant_id: str, signal: Signal) -> None:
        pass

    async def online(self, session_id: str) -> frozenset[str]:
        return frozenset()

    async def all_online(self, session_id: str) -> frozenset[str]:
        return frozenset()

    def stop_requested(self, reply_id: str) -> None:
        """`chat.ports.ReplyNudge`."""
        for worker in self._hearing():
            worker.pool.stop_requested(reply_id)

    def _committed(self, commit: Commit) -> None:
        for worker in self._hearing():
            worker.pool.committed(commit)

    def _hearing(self) -> list[Worker]:
        return [w for w in self.workers if self.hints and not w.paused and not w.dead]

    # --- what happens to the workers and the store --------------------------------------------

    async def start_worker(self) -> None:
        async with self._changing:
            if len(self.workers) < WORKERS:
                self._start()

    async def kill_worker(self, number: int, *, recover: bool) -> None:
        async with self._changing:
            worker = self.workers[number % len(self.workers)]
            await self._replace(worker, recover=recover)

    def doom_worker(self, number: int, transaction: int, *, committed: bool, recover: bool) -> None:
        if not self.workers:  # the next one is being made ready
            return
        worker = self.workers[number % len(self.workers)]
        worker.store.doom(transaction, committed=committed)

        async def bury() -> None:
            await worker.died.wait()
            async with self._changing:
                await self._replace(worker, recover=recover)

        self.aside(bury())

    async def drain_worker(self, number: int) -> None:
        async with self._changing:
            worker = self.workers[number % len(self.workers)]
            if worker.dead:
                return
            self._start()
            await worker.drain()
            self.workers.remove(worker)

    async def pause_worker(self, number: int, seconds: float) -> None:
        if not self.workers:
            return
        worker = self.workers[number % len(self.workers)]
        worker.pause()

        async def come_back() -> None:
            await asyncio.sleep(seconds)
            worker.resume()

        self.aside(come_back())

    async def outage(self, seconds: float) -> None:
        self.store.available.clear()

        async def end() -> None:
            await asyncio.sleep(seconds)
            self.store.available.set()

        self.aside(end())

    async def heal(self) -> None:
        """The store is there and nobody dies or stands still any more."""
        self.store.available.set()
        for worker in self.workers:
            worker.store.spare()
            worker.resume()
        async with self._changing:
            for task in self._aside:
                task.cancel()
            for worker in self.workers:
                if worker.dead:
                    await self._replace(worker, recover=False)

    def aside(self, doing: Coroutine[Any, Any, None]) -> None:
        """Does it beside the program."""
        task = asyncio.create_task(doing)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    def _start(self) -> Worker:
        worker = Worker(self._around)
        self.workers.append(worker)
        worker.start()
        return worker

    async def _replace(self, worker: Worker, *, recover: bool) -> None:
        if worker not in self.workers:
            return
        await worker.kill()
        self.workers.remove(worker)
        successor = Worker(self._around)
        if recover and not self.workers:
            await _until_available(successor.desk.recover)
        self.workers.append(successor)
        successor.start()

    # --- looking ------------------------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What the database holds, seen without the code that wrote it."""
        return self.database.execute(query, values).fetchall()


async def _until_available(do: Callable[[], Awaitable[Any]]) -> None:
    while True:
        with suppress(Unavailable):
            await do()
            return
        await asyncio.sleep(0.5)


@asynccontextmanager
async def open_stage(
    database: Path, scripts: dict[str, tuple[Behaviour, ...]]
) -> AsyncIterator[Stage]:
    """A stage with one worker, and a bot for each script, on a migrated database."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    store = SqliteStore(database, LIMITS)
    store.open()
    loop.elsewhere = lambda: store.pending
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        bots, models = [], []
        for name, script in scripts.items():
            model = await stack.enter_async_context(FakeModel(*script))
            bot = OpenAiBot(_declaration(name, model), None, ModelUse(Metrics()))
            stack.push_async_callback(bot.close)
            bots.append(bot)
            models.append(model)
        stage = Stage(database, store, bots, models)
        stack.callback(stage.database.close)
        await stage.start_worker()
        yield stage
        for worker in stage.workers:
            await worker.kill()


async def somebody(stage: Stage, name: str) -> Participant:
    return (await stage.service.issue_token(name)).participant


def _declaration(name: str, model: FakeModel) -> ModelBotDeclaration:
    return ModelBotDeclaration.model_validate(
        {
            "name": name,
            "model": "fake-model",
            "prompt": "Be brief.",
            "base_url": model.base_url,
            "key_variable": None,
            "first_token_seconds": 5,
            "idle_seconds": 3,
            "total_seconds": 20,
            "retries": 1,
        }
    )
