"""The pool: as many replies side by side as allowed, each session's in order."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator, Sequence

import structlog

from chatserver.chat.desk import ReplyDesk, Work
from chatserver.chat.errors import Unavailable
from chatserver.chat.ports import Bots, Commit, Feed
from chatserver.observability.metrics import Metrics
from chatserver.replies.run import AnswerListener, Halt, ReplyRun, RunLimits

log = structlog.get_logger(__name__)

STOP_SECONDS = 0.5
"""How soon a stop is obeyed that another process stored."""
CLAIMS_AT_ONCE = 4
"""They find one queue, and lock each other out of it; more would only take connections away."""
LAST_SECONDS = 1.0
"""What is broken off at the end of a drain gets this long to close what it opened."""
POLL_SECONDS = 1.0
"""How soon a prompt is found whose nudge was lost, or whose worker died and lease lapsed."""


class ReplyPool:
    """Between `start` and `drain`, runs what waits in the store, and counts it.

    A hint (a new prompt, a reply that the poll finds) wakes one worker, which claims until nothing
    is left for it. Hints may be lost or superfluous: the store alone says what is to be done.
    """

    def __init__(
        self,
        *,
        desk: ReplyDesk,
        feed: Feed,
        bots: Bots,
        metrics: Metrics,
        concurrency: int,
        limits: RunLimits,
        listeners: Sequence[AnswerListener] = (),
    ) -> None:
        self._desk = desk
        self._feed = feed
        self._bots = bots
        self._metrics = metrics
        self._concurrency = concurrency
        self._limits = limits
        self._listeners = listeners
        self._owner = secrets.token_urlsafe(8)
        self._hints = asyncio.Semaphore(0)
        self._hinted = 0
        """Hints that no worker took yet."""
        self._claiming = asyncio.Semaphore(CLAIMS_AT_ONCE)
        # By reply and attempt: after a long pause this pool may take over from itself.
        self._running: dict[tuple[str, int], ReplyRun] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._watching: list[asyncio.Task[None]] = []
        self._draining = asyncio.Event()

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    @property
    def idle(self) -> int:
        """Workers without a reply."""
        return 0 if self._draining.is_set() else self._concurrency - len(self._running)

    def start(self) -> None:
        self._workers = [
            asyncio.create_task(self._work(), name="reply-worker") for _ in range(self._concurrency)
        ]
        # Without workers too: how many replies wait is worth knowing most of all where none runs.
        self._watching = [
            asyncio.create_task(self._poll(), name="reply-poll"),
            asyncio.create_task(self._obey_stops(), name="reply-stops"),
        ]

    def committed(self, commit: Commit) -> None:
        """A `chat.ports.CommitListener`: new prompts are run at once."""
        self.hint(commit.prompts)

    def hint(self, prompts: int) -> None:
        """So many new prompts wait, as far as is known."""
        self._wake(prompts)

    def stop_requested(self, reply_id: str) -> None:
        """`chat.ports.ReplyNudge`. The store knows already; this saves waiting for a look at it."""
        for (running, _), run in self._running.items():
            if running == reply_id:
                run.halt(Halt.STOPPED)

    async def drain(self, seconds: float) -> None:
        """Claims nothing more and hands every unfinished reply back to the queue.

        Takes hardly longer than `seconds`: what could not be handed back is left to its lease.
        """
        self._draining.set()
        for run in self._running.values():
            run.halt(Halt.DRAINED)
        for task in self._watching:
            task.cancel()
        self._wake(self._concurrency)
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=seconds)
            if late:
                log.warning("drain_cut_short", replies_running=len(self._running))
                for worker in late:
                    worker.cancel()
                await asyncio.wait(late, timeout=LAST_SECONDS)
        await asyncio.gather(*self._watching, return_exceptions=True)

    def _wake(self, workers: int) -> None:
        """As many as there are at most, or hints would pile up while nobody takes them."""
        for _ in range(min(workers, self._concurrency - self._hinted)):
            self._hinted += 1
            self._hints.release()

    async def _work(self) -> None:
        while not self._draining.is_set():
            await self._hints.acquire()
            self._hinted -= 1
            try:
                while await self._run_next():
                    pass
            except Unavailable:
                log.warning("reply_claim_unavailable")
            except Exception:
                log.exception("reply_worker_crashed")

    async def _run_next(self) -> bool:
        """Whether there was a reply to run, and there may be another."""
        async with self._claiming:
            work = None if self.draining else await self._desk.claim(self._owner)
        if work is None:
            return False
        run = ReplyRun(
            work,
            desk=self._desk,
            feed=self._feed,
            bots=self._bots,
            metrics=self._metrics,
            limits=self._limits,
            listeners=self._listeners,
        )
        attempt = work.claim.reply.reply_id, work.claim.reply.attempt
        self._running[attempt] = run
        if self._draining.is_set():  # claimed while the drain began
            run.halt(Halt.DRAINED)
        self._metrics.replies_running.inc()
        try:
            await run.run()
        finally:
            del self._running[attempt]
            self._leave(work)
            self._metrics.replies_running.dec()
        return True

    def _leave(self, work: Work) -> None:
        reply = work.claim.reply
        # A lease that lapsed may have been taken over here.
        if all(reply_id != reply.reply_id for reply_id, _ in self._running):
            self._feed.reply_left(reply.session_id, reply.reply_id)

    async def _poll(self) -> None:
        while True:
            with self._survived():
                queued = await self._desk.queued()
                self._metrics.replies_queued.set(queued)
                if self._workers and self._hints.locked():
                    # What was handed over goes on side by side, as it was; and a reply whose lease
                    # lapsed is not among the queued, so that somebody looks in any case.
                    self._wake(max(1, queued))
            await asyncio.sleep(POLL_SECONDS)

    async def _obey_stops(self) -> None:
        while True:
            await asyncio.sleep(STOP_SECONDS)
            if not self._running:
                continue
            with self._survived():
                for reply_id in await self._desk.to_stop(self._owner):
                    self.stop_requested(reply_id)

    @contextlib.contextmanager
    def _survived(self) -> Iterator[None]:
        """Whatever goes wrong once must not end the looking."""
        try:
            yield
        except Unavailable:
            log.warning("reply_store_unavailable")
        except Exception:
            log.exception("reply_watch_crashed")
