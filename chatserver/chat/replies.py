"""Use cases around replies: what people ask for, and what the workers that run them report.

A reply is a row that is written in its prompt's own transaction, so that no accepted prompt loses
its reply; a worker holds it by a lease and may write its end only while `(attempt, owner)` match.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chatserver.chat import access
from chatserver.chat.commands import ReplyResult, RetryReply, StopReply
from chatserver.chat.errors import Conflict, NotFound
from chatserver.chat.events import (
    MessageCreated,
    ReplyFailed,
    ReplyFinished,
    ReplyStarted,
    ReplyStopped,
)
from chatserver.chat.messages import require_queue_room
from chatserver.chat.models import (
    Event,
    Participant,
    Reply,
    ReplyError,
    ReplyOutcome,
    ReplyPolicy,
    ReplyState,
)
from chatserver.chat.ports import Claim, Clock, Feed, ReplyContext, Store, Transaction
from chatserver.chat.sessions import bot_participant
from chatserver.chat.use_cases import UseCases, new_id


class ReplyUseCases(UseCases):
    async def stop_reply(self, actor: Participant, command: StopReply) -> ReplyResult:
        """Stopping what has ended already changes nothing and says how it ended."""
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> tuple[Reply, ReplyState]:
            before = self._reply_for(tx, actor, session_id, command.reply_id)
            if before.state is ReplyState.QUEUED:
                tx.replies.finish(before.reply_id, ReplyState.STOPPED, now)
            elif before.state is ReplyState.RUNNING:
                tx.replies.request_stop(before.reply_id)
            return _existing(tx.replies.get(session_id, before.reply_id)), before.state

        reply, before = await self.store.transact(work)
        if before is ReplyState.QUEUED:
            stopped = ReplyStopped(session_id=session_id, reply_id=reply.reply_id, seq=None)
            self.feed.signal(session_id, stopped)
        elif before is ReplyState.RUNNING:
            self.nudge.stop_requested(reply.reply_id)
        return ReplyResult(reply=reply)

    async def retry_reply(self, actor: Participant, command: RetryReply) -> ReplyResult:
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> Reply:
            old = self._reply_for(tx, actor, session_id, command.reply_id)
            session = tx.sessions.get(session_id)
            newest = tx.replies.newest_of_prompt(session_id, old.prompt_seq)
            if newest is None or newest.reply_id != old.reply_id:
                raise Conflict("this reply was retried already")
            if old.state not in (ReplyState.FAILED, ReplyState.STOPPED):
                raise Conflict("only a failed or stopped reply can be retried")
            if session is None or session.bot is None or session.reply_policy is ReplyPolicy.OFF:
                raise Conflict("no bot answers in this session")
            prompt = access.require_message(tx.log.get(session_id, old.prompt_seq))
            if prompt.data.get("deleted_at"):
                raise Conflict("the message was deleted")
            require_queue_room(tx.replies.count_active(session_id), self.limits)
            again = Reply(
                reply_id=new_id(),
                session_id=session_id,
                prompt_seq=old.prompt_seq,
                bot=session.bot,
                state=ReplyState.QUEUED,
                attempt=0,
            )
            tx.replies.add(again, now)
            return again

        return ReplyResult(reply=await self.store.transact(work))

    async def reply_to(
        self, actor: Participant, session_id: str, prompt_seq: int
    ) -> ReplyOutcome | None:
        """The newest reply to a message; None where the message asked for none.

        Raises `NotFound` where there is no such message.
        """

        def work(tx: Transaction) -> ReplyOutcome | None:
            access.require_member(
                tx.sessions.get(session_id), tx.members.role(session_id, actor.id)
            )
            access.require_message(tx.log.get(session_id, prompt_seq))
            reply = tx.replies.newest_of_prompt(session_id, prompt_seq)
            if reply is None:
                return None
            message = tx.log.get(session_id, reply.result_seq) if reply.result_seq else None
            return ReplyOutcome(**dict(reply), message=message)

        return await self.store.read(work)

    def _reply_for(
        self, tx: Transaction, actor: Participant, session_id: str, reply_id: str
    ) -> Reply:
        access.require_member(tx.sessions.get(session_id), tx.members.role(session_id, actor.id))
        reply = tx.replies.get(session_id, reply_id)
        if reply is None:
            raise NotFound("no such reply")
        return reply


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed reply with what its bot needs. Without `context` the prompt is gone."""

    claim: Claim
    context: ReplyContext | None


class ReplyDesk:
    """What a worker may do with replies. After a takeover, its writes do nothing."""

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        clock: Clock,
        lease: timedelta,
        window: int,
        max_takeovers: int,
    ) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock
        self._lease = lease
        self._window = window
        self._max_takeovers = max_takeovers

    async def claim(self, owner: str) -> Work | None:
        """The next reply to run, told to the room as started; None where nothing waits."""
        now = self._clock.now()

        def work(tx: Transaction) -> Work | None:
            claim = tx.replies.claim(owner, now, now + self._lease)
            return None if claim is None else Work(claim, self._context(tx, claim.reply))

        claimed = await self._store.transact(work)
        if claimed is not None and claimed.context is not None:
            reply = claimed.claim.reply
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
        return claimed

    def exhausted(self, claim: Claim) -> bool:
        """Whether this reply took its workers down too often to be tried again."""
        return claim.takeovers >= self._max_takeovers

    async def recover(self) -> int:
        """Hands back what a former life of this process left running. See `release_orphans`."""
        return await self._store.transact(lambda tx: tx.replies.release_orphans())

    async def queued(self) -> int:
        """How many replies wait for a worker."""
        return await self._store.read(lambda tx: tx.replies.count_queued())

    async def renew(self, claim: Claim, partial: str) -> bool | None:
        """Extends the lease and saves the text so far. True: stop it; None: it is not yours."""
        until = self._clock.now() + self._lease
        return await self._store.transact(lambda tx: tx.replies.renew(claim, partial, until))

    async def release(self, claim: Claim) -> None:
        """Gives an unfinished reply back, for another instance to begin anew at once."""
        await self._store.transact(lambda tx: tx.replies.release(claim))

    async def finish(self, claim: Claim, text: str, *, stopped: bool) -> None:
        """The final message and the reply's end, in one transaction.

        A reply that was switched off meanwhile, or whose bot is no longer a member, ends as
        stopped without a message: nobody who took over is talked over.
        """
        reply, now = claim.reply, self._clock.now()

        def work(tx: Transaction) -> tuple[ReplyState, int | None] | None:
            if not tx.replies.holds(claim):
                return None
            state = ReplyState.STOPPED if stopped else ReplyState.DONE
            if not self._may_speak(tx, reply):
                state, message = ReplyState.STOPPED, None
            elif not text.strip():
                message = None
            else:
                message = self._say(tx, reply, text, stopped=stopped, at=now)
            result_seq = message.seq if message else None
            tx.replies.finish(reply.reply_id, state, now, result_seq=result_seq)
            return state, result_seq

        ended = await self._store.transact(work)
        if ended is None:
            return
        state, seq = ended
        if state is ReplyState.DONE and seq is not None:
            finished = ReplyFinished(session_id=reply.session_id, reply_id=reply.reply_id, seq=seq)
            self._feed.signal(reply.session_id, finished)
        else:
            halted = ReplyStopped(session_id=reply.session_id, reply_id=reply.reply_id, seq=seq)
            self._feed.signal(reply.session_id, halted)

    async def fail(self, claim: Claim, error: ReplyError) -> None:
        """Ends the reply as failed and tells the room by a durable event."""
        reply, now = claim.reply, self._clock.now()

        def work(tx: Transaction) -> None:
            if not tx.replies.holds(claim):
                return
            tx.replies.finish(reply.reply_id, ReplyState.FAILED, now, error=error)
            failed = ReplyFailed(
                reply_id=reply.reply_id,
                prompt_seq=reply.prompt_seq,
                code=error.code,
                message=error.message,
                retryable=error.retryable,
            )
            tx.log.append(reply.session_id, bot_participant(reply.bot), failed, now)

        await self._store.transact(work)

    def _context(self, tx: Transaction, reply: Reply) -> ReplyContext | None:
        session = tx.sessions.get(reply.session_id)
        prompt = tx.log.get(reply.session_id, reply.prompt_seq)
        if session is None or prompt is None or prompt.data.get("deleted_at"):
            return None
        messages = tx.log.messages(reply.session_id, reply.prompt_seq + 1, self._window)
        return ReplyContext(session=session, prompt=prompt, messages=tuple(messages))

    def _may_speak(self, tx: Transaction, reply: Reply) -> bool:
        session = tx.sessions.get(reply.session_id)
        role = tx.members.role(reply.session_id, bot_participant(reply.bot).id)
        return (
            session is not None and session.reply_policy is not ReplyPolicy.OFF and role is not None
        )

    def _say(
        self, tx: Transaction, reply: Reply, text: str, *, stopped: bool, at: datetime
    ) -> Event:
        message = MessageCreated(
            text=text,
            reply_to=reply.prompt_seq,
            reply_id=reply.reply_id,
            stopped=True if stopped else None,
        )
        return tx.log.append(reply.session_id, bot_participant(reply.bot), message, at)


def _existing(reply: Reply | None) -> Reply:
    assert reply is not None, "read back within the transaction that wrote it"
    return reply
