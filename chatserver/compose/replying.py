"""The reply pool, with what goes on beside its replies."""

from dataclasses import dataclass
from datetime import timedelta

from chatserver.chat.desk import ReplyDesk
from chatserver.chat.memory import MemoryKeeper
from chatserver.chat.ports import Feed
from chatserver.chat.titles import TitleDesk
from chatserver.compose.core import Core
from chatserver.replies.folds import MemoryFolds
from chatserver.replies.pool import ReplyPool
from chatserver.replies.run import RunLimits
from chatserver.replies.titles import SessionTitles
from chatserver.summaries.titles import FirstWordsTitler, ModelTitler


@dataclass(frozen=True, slots=True)
class Replying:
    """Titles and memories are written where the replies are that they come from."""

    desk: ReplyDesk
    pool: ReplyPool
    folds: MemoryFolds
    titles: SessionTitles

    async def drain(self, seconds: float) -> None:
        """Claims nothing more, hands every unfinished reply back, and breaks off the folds."""
        await self.pool.drain(seconds)
        await self.folds.close()


def replying(core: Core, feed: Feed) -> Replying:
    settings, store, clock = core.settings, core.store, core.clock
    desk = ReplyDesk(
        store=store,
        feed=feed,
        clock=clock,
        lease=timedelta(seconds=settings.reply_lease_seconds),
        window=core.window,
        max_takeovers=settings.reply_takeovers,
        limits=core.limits,
    )
    folds = MemoryFolds(
        keeper=MemoryKeeper(store, clock), bots=core.roster.remembering, metrics=core.metrics
    )
    titles = SessionTitles(
        TitleDesk(store=store, clock=clock),
        ModelTitler(core.analyst) if core.analyst else FirstWordsTitler(),
    )
    pool = ReplyPool(
        desk=desk,
        feed=feed,
        bots=core.bots,
        metrics=core.metrics,
        concurrency=settings.replies_concurrency,
        limits=RunLimits(settings.reply_seconds, settings.reply_chars),
        listeners=[folds.answered, *([titles.answered] if settings.titles else [])],
    )
    return Replying(desk, pool, folds, titles)
