"""The use cases, and their use beside a server that may be running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatserver.chat.ports import Feed, ReplyNudge, Summarizer
from chatserver.chat.service import ChatService
from chatserver.compose.closing import close_all
from chatserver.compose.core import Core, core_of
from chatserver.compose.database import prepare
from chatserver.compose.models import summarizers
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.manager import RoomManager
from chatserver.settings import Settings


def service_of(core: Core, feed: Feed, nudge: ReplyNudge, summarizer: Summarizer) -> ChatService:
    return ChatService(
        store=core.store,
        feed=feed,
        bots=core.bots,
        nudge=nudge,
        summarizer=summarizer,
        clock=core.clock,
        limits=core.limits,
    )


class NoReplies:
    """`chat.ports.ReplyNudge` of a program that runs none. Who does finds a stop in the store."""

    def stop_requested(self, reply_id: str) -> None: ...


@asynccontextmanager
async def service_beside(settings: Settings) -> AsyncIterator[ChatService]:
    """For short commands. Nobody connected hears of what it changes.

    Raises what `core_of` and `prepare` raise.
    """
    core = core_of(settings)
    feed = RoomFeed(RoomManager(), core.store, core.metrics)
    summarizer, summarizing = summarizers(settings, core.analyst, core.clock)
    try:
        await prepare(core.place, settings)
        core.store.open()
        yield service_of(core, feed, NoReplies(), summarizer)
    finally:
        await close_all([*summarizing, *core.parts])
