"""What the workers that run replies report: claimed, still at it, done.

A worker holds a reply by a lease and may write its end only while `(attempt, owner)` match.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatserver.chat.answers import heard_in, say
from chatserver.chat.bots import bot_participant
from chatserver.chat.conversation import conversation
from chatserver.chat.errors import Unavailable
from chatserver.chat.events import (
    ReplyFailed,
    ReplyFinished,
    ReplyStarted,
    ReplyStopped,
)
from chatserver.chat.limits import Limits
from chatserver.chat.models import Reply, ReplyError, ReplyState
from chatserver.chat.ports import (
    Claim,
    Clock,
    Contended,
    Feed,
    ReplyContext,
    Store,
    Transaction,
)
from chatserver.chat.turns import pass_on

LOOK_AGAIN_SECONDS = (0.002, 0.004, 0.008, 0.016, 0.032)
"""After which it is looked again for replies that others kept from us for a moment."""


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed reply with what its bot needs.

    Without `context` it is not to be answered: the prompt is gone, or the bot may not speak.
    """

    claim: Claim
    context: ReplyContext | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a reply ended: `done` or `stopped`, and in which message, if any."""

    state: ReplyState
    seq: int | None


class ReplyDesk:
    """What a worker may do with replies. After a takeover, its writes do nothing.

    `tokens` are what the attempt used; they count against who asked for the reply in any case.
    """

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        clock: Clock,
        lease: timedelta,
        window: Callable[[str], int],
        max_takeovers: int,
        limits: Limits,
    ) -> None:
        """`window` says how many messages the bot of a name gets to see at most."""
        self._store = store
        self._feed = feed
        self._clock = clock
        self._lease = lease
        self._window = window
        self._max_takeovers = max_takeovers
        self._limits = limits
        self._began = clock.now() - timedelta(seconds=clock.monotonic())

    async def claim(self, owner: str) -> Work | None:
        """The next reply to run, told to the room as started; None where nothing waits.

        After `Unavailable` a reply may have been claimed for nothing; then its lease lapses.
        """
        claim = await self._claimed(owner)
        if claim is None:
            return None
        reply = claim.reply
        try:
            # A transaction of its own. To claim and then to look at the session would be to lock
            # the reply first, and whoever holds the session would hold up every claim.
            context = await self._store.read(lambda tx: self._context(tx, reply))
        except Unavailable:
            with contextlib.suppress(Unavailable):
                await self.release(claim, "", 0)
            raise
        if context is not None:
            self._feed.signal(
                reply.session_id,
                ReplyStarted(
                    session_id=reply.session_id,
                    reply_id=reply.reply_id,
                    attempt=reply.attempt,
                    prompt_seq=reply.prompt_seq,
                    bot=bot_participant(reply.bot),
                ),
            )
        return Work(claim, context)

    async def _claimed(self, owner: str) -> Claim | None:
        few = self._limits.running_replies_per_participant

        async def attempt() -> Claim | None:
            now = self._steady_now()
            return await self._store.transact(
                lambda tx: tx.replies.claim(owner, now, self._lease, running_each=few)
            )

        for pause in LOOK_AGAIN_SECONDS:
            try:
                return await attempt()
            except Contended:
                await asyncio.sleep(pause)
        with contextlib.suppress(Contended):
            return await attempt()
        return None

    def exhausted(self, claim: Claim) -> bool:
        """Whether this reply took its workers down too often to be tried again."""
        return claim.takeovers >= self._max_takeovers

    async def recover(self) -> int:
        """Hands back what a former life of this process left running. See `release_orphans`."""
        return await self._store.transact(lambda tx: tx.replies.release_orphans())

    async def queued(self) -> int:
        """How many replies wait for a worker."""
        return await self._store.read(lambda tx: tx.replies.count_queued())

    async def to_stop(self, owner: str) -> list[str]:
        """The ids of those that `owner` runs and that somebody wants stopped."""
        return await self._store.read(lambda tx: tx.replies.to_stop(owner))

    async def renew(self, claim: Claim, partial: str) -> bool | None:
        """Extends the lease and saves the text so far. True: stop it; None: it is not yours."""
        now = self._steady_now()
        return await self._store.transact(
            lambda tx: tx.replies.renew(claim, partial, now, self._lease)
        )

    async def give_up(self, claim: Claim, tokens: int) -> None:
        """The end of an attempt whose reply belongs to another by now."""
        if not tokens:
            return
        now = self._clock.now()
        await self._store.transact(lambda tx: _spend(tx, claim, tokens, now))

    async def release(self, claim: Claim, partial: str, tokens: int) -> None:
        """Gives an unfinished reply back, for another instance to begin anew at once."""
        now = self._clock.now()

        def work(tx: Transaction) -> None:
            _spend(tx, claim, tokens, now)
            tx.replies.release(claim, partial)

        await self._store.transact(work)

    async def finish(self, claim: Claim, text: str, tokens: int, *, stopped: bool) -> Ended | None:
        """The final message, the reply's end and what bots it asks, in one transaction.

        None where the reply belongs to another attempt by now.

        A reply that was switched off meanwhile, or whose bot is no longer a member, ends as
        stopped without a message: nobody who took over is talked over.
        """
        reply, now = claim.reply, self._clock.now()

        def work(tx: Transaction) -> Ended | None:
            # Before the reply, as everybody takes the two who needs both.
            tx.sessions.get(reply.session_id)
            _spend(tx, claim, tokens, now)
            if not tx.replies.holds(claim):
                return None
            message = say(tx, reply, text, now, "stopped" if stopped else None)
            state = ReplyState.STOPPED if stopped or message is None else ReplyState.DONE
            result_seq = message.seq if message else None
            tx.replies.finish(reply.reply_id, state, now, result_seq=result_seq)
            if message is not None and not stopped:
                pass_on(tx, claim, message, self._limits)
            return Ended(state, result_seq)

        ended = await self._store.transact(work)
        if ended is None:
            return None
        session_id, reply_id, seq = reply.session_id, reply.reply_id, ended.seq
        if ended.state is ReplyState.DONE and seq is not None:
            finished = ReplyFinished(session_id=session_id, reply_id=reply_id, seq=seq)
            self._feed.signal(session_id, finished)
        else:
            halted = ReplyStopped(session_id=session_id, reply_id=reply_id, seq=seq)
            self._feed.signal(session_id, halted)
        return ended

    async def fail(self, claim: Claim, error: ReplyError, text: str, tokens: int) -> None:
        """Ends the reply as failed and tells the room by a durable event.

        What was said before it failed stays, as a message that is marked so.
        """
        reply, now = claim.reply, self._clock.now()

        def work(tx: Transaction) -> None:
            tx.sessions.get(reply.session_id)  # see `finish`
            _spend(tx, claim, tokens, now)
            if not tx.replies.holds(claim):
                return
            message = say(tx, reply, text, now, "failed")
            tx.replies.finish(
                reply.reply_id,
                ReplyState.FAILED,
                now,
                result_seq=message.seq if message else None,
                error=error,
            )
            failed = ReplyFailed(
                reply_id=reply.reply_id,
                prompt_seq=reply.prompt_seq,
                code=error.code,
                message=error.message,
                retryable=error.retryable,
            )
            tx.log.append(reply.session_id, bot_participant(reply.bot), failed, now)

        await self._store.transact(work)

    def _steady_now(self) -> datetime:
        """The time for leases: a clock that is set forward must not end those that we hold."""
        return self._began + timedelta(seconds=self._clock.monotonic())

    def _context(self, tx: Transaction, reply: Reply) -> ReplyContext | None:
        session = heard_in(tx, reply)
        prompt = tx.log.get(reply.session_id, reply.prompt_seq)
        if session is None or prompt is None or prompt.data.get("deleted_at"):
            return None
        return ReplyContext(
            session=session,
            prompt=prompt,
            messages=conversation(tx, reply, prompt, self._window(reply.bot)),
            memory=tx.memories.get(reply.session_id, reply.bot),
        )


def _spend(tx: Transaction, claim: Claim, tokens: int, now: datetime) -> None:
    if tokens:
        tx.replies.spend(claim, tokens)
        tx.usage.add(claim.asker, now, tokens=tokens)
