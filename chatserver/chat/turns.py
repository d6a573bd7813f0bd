"""Bots that answer bots: only where the session allows it, and only so often."""

from datetime import datetime

from chatserver.chat.addressing import mentions
from chatserver.chat.asking import queue_reply
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event, Session
from chatserver.chat.ports import Claim, Transaction
from chatserver.chat.queue import queue_room, queued
from chatserver.chat.quota import replies_left


def pass_on(tx: Transaction, claim: Claim, message: Event, limits: Limits) -> None:
    """Queues the replies of the other bots that a bot's final `message` mentions.

    As many as the session's `bot_turns` leave: a turn is a reply to a bot, and all of them together
    count until a person says something, however the mentions branch. Whoever asked for the
    reply asks for these too. Where a limit leaves no room nothing is queued, and nobody is told.
    """
    reply, text = claim.reply, message.data["text"]
    session = tx.sessions.get(reply.session_id) if "@" in text else None
    if session is None or not session.bot_turns:
        return
    others = [bot for bot in tx.members.bots(session.id) if bot != reply.bot]
    mentioned = mentions(text, others)
    if not mentioned:
        return
    at = message.created_at
    room = _room(tx, session, claim.asker, at, limits)
    for position, bot in enumerate(mentioned[:room]):
        queue_reply(tx, session.id, message.seq, bot, at, asker=claim.asker, position=position)


def _room(tx: Transaction, session: Session, asker: str, at: datetime, limits: Limits) -> int:
    return max(
        0,
        min(
            session.bot_turns - tx.replies.count_turns(session.id),
            queue_room(queued(tx, session.id, asker, limits), limits),
            replies_left(tx, asker, at, limits),
        ),
    )
