"""One reply, from claim to end."""

import asyncio
import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from chatserver.chat.desk import ReplyDesk, Work
from chatserver.chat.errors import Unavailable
from chatserver.chat.models import ReplyError
from chatserver.chat.ports import Bot, BotError, Bots, Claim, Feed, ReplyContext
from chatserver.observability.crashes import traced
from chatserver.observability.metrics import Metrics
from chatserver.replies.stream import ReplyStream

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
BEATS_APART_SECONDS = 0.1
"""Replies beat at multiples of it, so that those of one moment share a commit."""


AnswerListener = Callable[[Work, int], None]
"""Hears of each answer that is in the log, whole or stopped, with the seq of its message. Must
neither block nor raise."""


class Halt(enum.Enum):
    """Why a reply is interrupted."""

    STOPPED = enum.auto()
    DRAINED = enum.auto()
    LOST = enum.auto()


@dataclass(frozen=True, slots=True)
class RunLimits:
    seconds: float
    chars: int


class ReplyRun:
    """Lets the bot speak, streams what it says, keeps the lease, and writes the end once."""

    def __init__(
        self,
        work: Work,
        *,
        desk: ReplyDesk,
        feed: Feed,
        bots: Bots,
        metrics: Metrics,
        limits: RunLimits,
        listeners: Sequence[AnswerListener] = (),
    ) -> None:
        self._work = work
        self._claim = work.claim
        self._context = work.context and replace(work.context, spend=self._spend)
        self._desk = desk
        self._bots = bots
        self._metrics = metrics
        self._seconds = limits.seconds
        self._stream = ReplyStream(work.claim.reply, feed, limits.chars)
        self._tokens = 0
        self._listeners = listeners
        self._speaking: asyncio.Task[None] | None = None
        self._halted: Halt | None = None
        self._log = log.bind(
            reply=self._claim.reply.reply_id,
            session=self._claim.reply.session_id,
            attempt=self._claim.reply.attempt,
            bot=self._claim.reply.bot,
        )

    @property
    def _text(self) -> str:
        """What would be lost if the reply ended now: what an earlier attempt said is all there is
        until this one says something."""
        return self._stream.text or self._claim.earlier

    def halt(self, why: Halt) -> None:
        """Interrupts the bot; the first reason counts."""
        if self._halted is None:
            self._halted = why
            if self._speaking is not None:
                self._speaking.cancel()

    async def run(self) -> None:
        """Ends with the reply in a terminal state, or handed back, or taken over by another."""
        error = self._refusal()
        if error is None:
            if self._claim.stop_requested or self._context is None:
                self.halt(Halt.STOPPED)
            elif self._halted is None:
                error = await self._speak(self._context)
        self._stream.flush()
        await self._persistently(error)

    def _refusal(self) -> ReplyError | None:
        if self._desk.exhausted(self._claim):
            return ReplyError(
                code="reply_exhausted",
                message="The bot failed on this message too often.",
                retryable=True,
            )
        if self._bots.get(self._claim.reply.bot) is None:
            return ReplyError(
                code="bot_not_configured",
                message="This server has no bot of that name any more.",
                retryable=False,
            )
        return None

    async def _speak(self, context: ReplyContext) -> ReplyError | None:
        bot = self._bots.get(self._claim.reply.bot)
        assert bot is not None, "refused before"
        self._speaking = asyncio.create_task(self._collect(bot, context))
        beating = asyncio.create_task(self._beat())
        try:
            await asyncio.wait([self._speaking])
        finally:
            beating.cancel()
            self._speaking.cancel()
            await asyncio.wait([beating, self._speaking])
        if self._speaking.cancelled() or self._halted is not None:
            return None
        failure = self._speaking.exception()
        if failure is None:
            return None if self._stream.text.strip() else _EMPTY
        return self._explain(failure)

    async def _collect(self, bot: Bot, context: ReplyContext) -> None:
        started, spoken = time.monotonic(), False
        async with asyncio.timeout(self._seconds):
            pieces = bot.reply(context)
            try:
                async for piece in pieces:
                    if not spoken:
                        spoken = True
                        waited = time.monotonic() - started
                        self._metrics.first_token.labels(self._claim.reply.bot).observe(waited)
                    self._stream.push(piece)
                    if self._stream.full:
                        return
            finally:
                close = getattr(pieces, "aclose", None)
                if close is not None:
                    await close()

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = (clock() + BEAT_SECONDS) // BEATS_APART_SECONDS * BEATS_APART_SECONDS
            await asyncio.sleep(due - clock())
            await self.look()

    async def look(self) -> None:
        """Renews the lease, saves the text so far, and obeys a stop that was asked for."""
        try:
            stop = await self._desk.renew(self._claim, self._stream.text)
        except Unavailable:
            return
        except Exception:
            # A beat that fails once must not be the last: the lease would lapse.
            self._log.exception("reply_beat_crashed")
            return
        if stop is None:
            self.halt(Halt.LOST)
        elif stop:
            self.halt(Halt.STOPPED)

    def _explain(self, failure: BaseException) -> ReplyError:
        if isinstance(failure, BotError):
            self._log.warning("reply_failed", code=failure.error.code, **traced(failure))
            return failure.error
        if isinstance(failure, TimeoutError):
            self._log.warning("reply_timed_out", seconds=self._seconds)
            return ReplyError(
                code="model_timeout", message="The bot took too long.", retryable=True
            )
        self._log.error("reply_crashed", **traced(failure))
        return ReplyError(
            code="bot_failed", message="The bot failed while answering.", retryable=True
        )

    def _spend(self, tokens: int) -> None:
        self._tokens += tokens

    async def _persistently(self, error: ReplyError | None) -> None:
        # As it is now: what interrupts the pauses must not take back an answer that is whole.
        halted = self._halted
        for pause in (0.1, 0.3, 1.0, 2.0, None):
            try:
                await self._end(self._claim, error, halted)
                return
            except Unavailable:
                if pause is None or halted is Halt.DRAINED:
                    # The lease will lapse, and somebody else begins anew.
                    self._log.error("reply_not_ended", exc_info=True)
                    return
                await asyncio.sleep(pause)

    async def _end(self, claim: Claim, error: ReplyError | None, halted: Halt | None) -> None:
        match halted:
            case Halt.LOST:
                await self._desk.give_up(claim, self._tokens)
                self._log.warning("reply_taken_over")
                return
            case Halt.DRAINED:
                await self._desk.release(claim, self._stream.text, self._tokens)
                state = "released"
            case _ if error is not None:
                await self._desk.fail(claim, error, self._text, self._tokens)
                state = "failed"
            case _:
                stopped = halted is Halt.STOPPED
                ended = await self._desk.finish(claim, self._text, self._tokens, stopped=stopped)
                if ended is None:
                    self._log.warning("reply_taken_over")
                    return
                self._tell(ended.seq)
                state = ended.state
        self._metrics.replies.labels(claim.reply.bot, state).inc()
        self._log.info("reply_ended", state=state, chars=len(self._stream.text))

    def _tell(self, seq: int | None) -> None:
        if seq is not None:
            for listener in self._listeners:
                listener(self._work, seq)


_EMPTY = ReplyError(code="empty_answer", message="The bot answered nothing.", retryable=True)
