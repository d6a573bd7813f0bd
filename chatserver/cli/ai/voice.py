"""A bot that speaks for somebody outside a server."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chatserver.chat.ports import Bot, BotError, ReplyContext
from chatserver.cli.ai.door import Report
from chatserver.client.backoff import Backoff

log = structlog.get_logger(__name__)

TRIES = 3
"""How often a bot is asked the same before it is passed over."""


class Voice:
    """Asks one bot. What fails is reported to whoever started it, and never said in the room.

    A reply takes at most `seconds` and is cut off after `chars`. From a failure on each further
    attempt waits, longer each time, until one succeeds.
    """

    def __init__(
        self,
        bot: Bot,
        report: Report,
        *,
        seconds: float,
        chars: int,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bot = bot
        self._report = report
        self._seconds = seconds
        self._chars = chars
        self._backoff = backoff or Backoff(first=1.0, cap=60.0)
        self._sleep = sleep
        self._failing = False

    async def answer(self, context: ReplyContext) -> str | None:
        """Never blank. None: it failed for good, or `TRIES` times."""
        for _ in range(TRIES):
            if self._failing:
                await self._sleep(self._backoff.next())
            failure = None
            try:
                async with asyncio.timeout(self._seconds):
                    text = await self._whole(context)
                if text:
                    self._failing = False
                    self._backoff.reset()
                    return text
                problem = "it said nothing"
            except BotError as error:
                failure, problem = error, f"{error} ({error.error.code})"
            except TimeoutError:
                problem = f"it took longer than {self._seconds:g} s"
            except Exception:
                log.exception("bot_crashed", bot=self._bot.info.name)
                problem = "it crashed, see the log"
            self._failing = True
            self._report(f"the bot {self._bot.info.name} failed: {problem}")
            if failure is not None and not failure.error.retryable:
                return None
        return None

    async def _whole(self, context: ReplyContext) -> str:
        pieces = self._bot.reply(context)
        text = ""
        try:
            async for piece in pieces:
                text += piece
                if len(text) >= self._chars:
                    break
        finally:
            # An iterator, not always a generator, is all that a bot owes.
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
        # A model's JSON can hold halves of characters, which nothing on the way can encode.
        return text[: self._chars].encode(errors="replace").decode().strip()
