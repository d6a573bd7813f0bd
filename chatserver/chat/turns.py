"""Bots that answer bots: only where the session allows it, and only so often."""

from datetime import datetime

from chatserver.chat.addressing import mentions
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event, Reply, ReplyState, Session
from chatserver.chat.ports import Transaction
from chatserver.chat.quota import replies_left
from chatserver.chat.use_cases import new_id


def pass_on(tx: Transaction, reply: Reply, message: Event, limits: Limits) -> None:
    """Queues the replies of the other bots that a bot's final `message` mentions.

    As many as the session's `bot_turns` leave: a turn is a reply to a bot, and all of them together
    count until a person says something, however the mentions branch. Whoever asked for `reply` asks
    for these too. Where a limit leaves no room nothing is queued, and nobody is told.
    """
    text = message.data["text"]
    session = tx.sessions.get(reply.session_id) if "@" in text else None
    if session is None or not session.bot_turns:
        return
    others = [bot for bot in tx.members.bots(session.id) if bot != reply.bot]
    mentioned = mentions(text, others)
    if not mentioned:
        return
    asker, at = tx.replies.asker(reply.reply_id), message.created_at
    room = _room(tx, session, asker, at, limits)
    for position, bot in enumerate(mentioned[:room]):
        queued = Reply(
            reply_id=new_id(),
            session_id=session.id,
            prompt_seq=message.seq,
            bot=bot,
            state=ReplyState.QUEUED,
            attempt=0,
        )
        tx.replies.add(queued, at, asker=asker, position=position)


def _room(tx: Transaction, session: Session, asker: str, at: datetime, limits: Limits) -> int:
    return max(
        0,
        min(
            session.bot_turns - tx.replies.count_turns(session.id),
            limits.queued_replies_per_session - tx.replies.count_active(session.id),
            replies_left(tx, asker, at, limits),
        ),
    )
