"""Asking bots for replies to a message that is in the log already."""

from dataclasses import dataclass
from datetime import datetime

from chatserver.chat.addressing import answering
from chatserver.chat.limits import Limits
from chatserver.chat.models import Participant, Reply, ReplyState, Session
from chatserver.chat.ports import Transaction
from chatserver.chat.queue import queued, require_queue_room
from chatserver.chat.quota import has_quota, require_quota
from chatserver.chat.use_cases import new_id


@dataclass(frozen=True, slots=True)
class AskedAgain:
    replies: list[Reply]
    """Those that wait now."""
    stopping: list[str]
    """The ids of those that answer the old text, and were asked to stop."""


def ask_again(
    tx: Transaction,
    session: Session,
    actor: Participant,
    seq: int,
    text: str,
    now: datetime,
    limits: Limits,
) -> AskedAgain:
    """Whom the changed `text` of message `seq` asks, answers it. Raises `Busy`, `QuotaExceeded`.

    A reply that still waits will see the new text by itself; one that runs is stopped, and a new
    one follows. What a new one says takes the place of what the same bot had answered. A bot that
    the new text no longer asks is not heard again, and what it said stays.
    """
    replies: list[Reply] = []
    stopping: list[str] = []
    asked: list[str] = []
    for bot in answering(session, actor, text, tx.members.bots(session.id)):
        newest = tx.replies.newest_of_prompt(session.id, seq, bot)
        if newest is not None and newest.state is ReplyState.QUEUED:
            replies.append(newest)
            continue
        asked.append(bot)
        if newest is not None and newest.state is ReplyState.RUNNING:
            tx.replies.request_stop(newest.reply_id)
            stopping.append(newest.reply_id)
    require_room(tx, actor, session.id, len(asked), now, limits)
    for position, bot in enumerate(asked):
        again = queue_reply(tx, session.id, seq, bot, now, asker=actor.id, position=position)
        replies.append(again)
    return AskedAgain(replies, stopping)


def require_room(
    tx: Transaction, actor: Participant, session_id: str, asked: int, now: datetime, limits: Limits
) -> None:
    """Whether `actor` may ask for so many more replies. Raises `Busy`, `QuotaExceeded`."""
    require_queue_room(queued(tx, session_id, actor.id, limits), asked, limits)
    if has_quota(limits):
        require_quota(tx.usage.of(actor.id, now), asked, now, limits)


def queue_reply(
    tx: Transaction,
    session_id: str,
    prompt_seq: int,
    bot: str,
    now: datetime,
    *,
    asker: str,
    position: int = 0,
) -> Reply:
    reply = Reply(
        reply_id=new_id(),
        session_id=session_id,
        prompt_seq=prompt_seq,
        bot=bot,
        state=ReplyState.QUEUED,
        attempt=0,
    )
    tx.replies.add(reply, now, asker=asker, position=position)
    tx.usage.add(asker, now, replies=1)
    return reply
