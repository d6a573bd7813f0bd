"""Lets bots fold what they are no longer shown into their memory, after their replies."""

import asyncio
from collections.abc import Mapping

import structlog

from chatserver.chat.desk import Work
from chatserver.chat.memory import MemoryKeeper
from chatserver.chat.ports import BotError, RememberingBot, ReplyContext
from chatserver.observability.metrics import Metrics

log = structlog.get_logger(__name__)

FOLD_SECONDS = 60.0
AT_ONCE = 4
"""Folds that run side by side. Who finds no place folds after its next reply."""


class MemoryFolds:
    """One fold at a time for each bot of each session, beside the replies and never before one.

    What goes wrong is logged by its kind, counted, and tried again after the bot's next reply.
    """

    def __init__(
        self, *, keeper: MemoryKeeper, bots: Mapping[str, RememberingBot], metrics: Metrics
    ) -> None:
        """`bots` are those that remember, by the names that their sessions know them by."""
        self._keeper = keeper
        self._bots = bots
        self._metrics = metrics
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._closed = False

    def answered(self, work: Work, _seq: int) -> None:
        """A `replies.run.AnswerListener`: begins a fold where the bot remembers."""
        reply = work.claim.reply
        bot, key = self._bots.get(reply.bot), (reply.session_id, reply.bot)
        if bot is None or work.context is None or self._closed or key in self._running:
            return
        if len(self._running) >= AT_ONCE:
            self._count(reply.bot, "skipped")
            return
        task = asyncio.create_task(self._fold(key, bot, work.context), name="memory-fold")
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key))

    async def close(self) -> None:
        """Breaks off what runs; begins nothing more."""
        self._closed = True
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fold(self, key: tuple[str, str], bot: RememberingBot, context: ReplyContext) -> None:
        session_id, name = key
        try:
            async with asyncio.timeout(FOLD_SECONDS):
                fold = await self._keeper.due(session_id, name, bot.shown_from(context))
                if fold is None:
                    return
                before = None if fold.memory is None else fold.memory.text
                kept = await self._keeper.keep(fold, await bot.fold(before, fold.turns))
            self._count(name, "kept" if kept else "outdated")
        except Exception as failure:
            # The kind alone: whatever broke had the words of people in its hands.
            kind = failure.error.code if isinstance(failure, BotError) else type(failure).__name__
            log.warning("memory_not_folded", bot=name, session=session_id, kind=kind)
            self._count(name, "failed")

    def _count(self, bot: str, outcome: str) -> None:
        self._metrics.memory_folds.labels(bot, outcome).inc()
