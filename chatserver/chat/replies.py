"""Use cases around replies: stopping one, asking again, looking at one, keeping what was cut short.

A reply is a row that is written in its prompt's own transaction, so that no accepted prompt loses
its reply. What happens to it then is the workers' (`desk`).
"""

from chatserver.chat import access
from chatserver.chat.answers import say
from chatserver.chat.asking import queue_reply, require_room
from chatserver.chat.commands import (
    EventResult,
    GetReply,
    KeepMessage,
    ReplyFound,
    ReplyResult,
    RetryReply,
    StopReply,
)
from chatserver.chat.errors import Conflict, InvalidPayload, NotFound
from chatserver.chat.events import MessageKept, ReplyStopped
from chatserver.chat.models import (
    Event,
    Participant,
    Reply,
    ReplyOutcome,
    ReplyPolicy,
    ReplyState,
    Session,
)
from chatserver.chat.ports import Transaction
from chatserver.chat.use_cases import UseCases, membership


class ReplyUseCases(UseCases):
    async def stop_reply(self, actor: Participant, command: StopReply) -> ReplyResult:
        """Stopping what has ended already changes nothing and says how it ended."""
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> tuple[Reply, ReplyState]:
            before = self._reply_for(tx, actor, session_id, command.reply_id)
            if before.state is ReplyState.QUEUED:
                # It may have been interrupted in the middle of what it said.
                message = say(tx, before, before.text, now, "stopped")
                seq = message.seq if message else None
                tx.replies.finish(before.reply_id, ReplyState.STOPPED, now, result_seq=seq)
            elif before.state is ReplyState.RUNNING:
                tx.replies.request_stop(before.reply_id)
            return _existing(tx.replies.get(session_id, before.reply_id)), before.state

        reply, before = await self.store.transact(work)
        if before is ReplyState.QUEUED:
            stopped = ReplyStopped(
                session_id=session_id, reply_id=reply.reply_id, seq=reply.result_seq
            )
            self.feed.signal(session_id, stopped)
        elif before is ReplyState.RUNNING:
            self.nudge.stop_requested(reply.reply_id)
        return ReplyResult(reply=reply)

    async def retry_reply(self, actor: Participant, command: RetryReply) -> ReplyResult:
        """Asks the bot again after a reply that has ended, whichever way.

        The message of the new reply takes the place of the old one's, if that had one.
        """
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> Reply:
            old = self._reply_for(tx, actor, session_id, command.reply_id)
            session = tx.sessions.get(session_id)
            if not old.state.terminal:
                raise Conflict("the reply has not ended")
            if session is None or session.reply_policy is ReplyPolicy.OFF:
                raise Conflict("no bot answers in this session")
            bot = self._bot_for_retry(tx, session, old)
            prompt = access.require_message(tx.log.get(session_id, old.prompt_seq))
            if prompt.data.get("deleted_at"):
                raise Conflict("the message was deleted")
            require_room(tx, actor, session_id, 1, now, self.limits)
            return queue_reply(tx, session_id, old.prompt_seq, bot, now, asker=actor.id)

        return ReplyResult(reply=await self.store.transact(work))

    async def keep_message(self, actor: Participant, command: KeepMessage) -> EventResult:
        """Raises `Conflict` for a whole message, and for one that is kept already."""
        session_id, seq, now = command.session_id, command.seq, self.clock.now()

        def work(tx: Transaction) -> Event:
            membership(tx, actor, session_id)
            message = access.require_message(tx.log.get(session_id, seq))
            if message.data.get("deleted_at"):
                raise Conflict("the message was deleted")
            if not (message.data.get("stopped") or message.data.get("failed")):
                raise Conflict("the message is whole")
            if message.data.get("kept"):
                raise Conflict("the message is kept already")
            tx.log.keep(session_id, seq)
            return tx.log.append(session_id, actor, MessageKept(seq=seq), now)

        return EventResult(event=await self.store.transact(work))

    async def get_reply(self, actor: Participant, command: GetReply) -> ReplyFound:
        """For who was away: what is heard of a reply that ends without a message is heard once.

        Raises `InvalidPayload` unless either `reply_id` or `prompt_seq` is given.
        """
        session_id, reply_id, prompt_seq = command.session_id, command.reply_id, command.prompt_seq
        if reply_id is None:
            if prompt_seq is None:
                raise InvalidPayload("give a reply_id or a prompt_seq", field="reply_id")
            found = await self.reply_to(actor, session_id, prompt_seq, command.bot)
            return ReplyFound(reply=found)
        if prompt_seq is not None or command.bot is not None:
            field = "bot" if prompt_seq is None else "prompt_seq"
            raise InvalidPayload("a reply_id says all", field=field)

        def work(tx: Transaction) -> ReplyOutcome:
            return _outcome(tx, self._reply_for(tx, actor, session_id, reply_id))

        return ReplyFound(reply=await self.store.read(work))

    async def reply_to(
        self, actor: Participant, session_id: str, prompt_seq: int, bot: str | None = None
    ) -> ReplyOutcome | None:
        """The newest reply to a message, of that bot or of any; None where there is none.

        Of several that were asked for at once, that of the bot which was mentioned first.

        Raises `NotFound` where there is no such message.
        """

        def work(tx: Transaction) -> ReplyOutcome | None:
            membership(tx, actor, session_id)
            access.require_message(tx.log.get(session_id, prompt_seq))
            reply = tx.replies.newest_of_prompt(session_id, prompt_seq, bot)
            return None if reply is None else _outcome(tx, reply)

        return await self.store.read(work)

    def _bot_for_retry(self, tx: Transaction, session: Session, old: Reply) -> str:
        """The bot that was asked, or where that is no member any more the session's own."""
        bot = old.bot if old.bot in tx.members.bots(session.id) else session.bot
        if bot is None:
            raise Conflict("no bot answers in this session")
        for asked in {old.bot, bot}:
            newest = tx.replies.newest_of_prompt(session.id, old.prompt_seq, asked)
            if newest is not None and newest.reply_id != old.reply_id:
                raise Conflict("this reply was retried already")
        return bot

    def _reply_for(
        self, tx: Transaction, actor: Participant, session_id: str, reply_id: str
    ) -> Reply:
        membership(tx, actor, session_id)
        reply = tx.replies.get(session_id, reply_id)
        if reply is None:
            raise NotFound("no such reply")
        return reply


def _existing(reply: Reply | None) -> Reply:
    assert reply is not None, "read back within the transaction that wrote it"
    return reply


def _outcome(tx: Transaction, reply: Reply) -> ReplyOutcome:
    message = tx.log.get(reply.session_id, reply.result_seq) if reply.result_seq else None
    return ReplyOutcome(**dict(reply), message=message)
