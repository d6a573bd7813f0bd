"""The bot that has somebody answer in its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chatserver.chat.ports import Bot, BotError, ReplyContext

log = structlog.get_logger(__name__)


class FallbackBot:
    """`chat.ports.Bot`: goes by the first bot's name.

    Where the first raises `BotError` before it said anything, the fallback answers. After its
    first piece the error goes through: what was heard of one is not continued by another.
    """

    def __init__(self, first: Bot, fallback: Bot) -> None:
        self.info = first.info
        self._first = first
        self._fallback = fallback

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        spoken = False
        try:
            async with _speaking(self._first, context) as pieces:
                async for piece in pieces:
                    spoken = spoken or bool(piece)
                    yield piece
                return
        except BotError as failure:
            if spoken:
                raise
            log.warning(
                "bot_fell_back",
                bot=self.info.name,
                fallback=self._fallback.info.name,
                code=failure.error.code,
            )
        async with _speaking(self._fallback, context) as pieces:
            async for piece in pieces:
                yield piece


@asynccontextmanager
async def _speaking(bot: Bot, context: ReplyContext) -> AsyncIterator[AsyncIterator[str]]:
    pieces = bot.reply(context)
    try:
        yield pieces
    finally:
        # An iterator, not always a generator, is all that a bot owes.
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
