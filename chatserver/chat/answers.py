"""What a bot says at the end of a reply, as a message of the log."""

from datetime import datetime
from typing import Literal

from chatserver.chat.bots import bot_participant
from chatserver.chat.events import MessageCreated
from chatserver.chat.models import Event, Reply, ReplyPolicy, ReplyState, Session
from chatserver.chat.ports import Transaction


def heard_in(tx: Transaction, reply: Reply) -> Session | None:
    """The session in which the bot may speak.

    None where that is gone, replies were switched off meanwhile, or the bot is no longer a member.
    """
    session = tx.sessions.get(reply.session_id)
    if session is None or session.reply_policy is ReplyPolicy.OFF:
        return None
    role = tx.members.role(reply.session_id, bot_participant(reply.bot).id)
    return None if role is None else session


def cut_short(tx: Transaction, session_id: str, bot: str | None = None) -> list[str]:
    """Has the replies of this bot, or of all, stopped that run; a bot that is no longer to be heard
    must not go on speaking.

    Returns their ids, for a nudge after the commit. Those that wait end when it is their turn.
    """
    running = [
        reply.reply_id
        for reply in tx.replies.active(session_id)
        if reply.state is ReplyState.RUNNING and bot in (None, reply.bot)
    ]
    for reply_id in running:
        tx.replies.request_stop(reply_id)
    return running


def say(
    tx: Transaction,
    reply: Reply,
    text: str,
    at: datetime,
    cut: Literal["stopped", "failed"] | None = None,
) -> Event | None:
    """The reply's message; None where there is nothing to be said, or nobody may say it.

    It takes the place of what the same bot last answered to the same prompt, deleted answers
    aside. `cut` says why the text is not whole.
    """
    if not text.strip() or heard_in(tx, reply) is None:
        return None
    message = MessageCreated(
        text=text,
        reply_to=reply.prompt_seq,
        reply_id=reply.reply_id,
        replaces=_standing(tx, reply),
        stopped=True if cut == "stopped" else None,
        failed=True if cut == "failed" else None,
    )
    return tx.log.append(reply.session_id, bot_participant(reply.bot), message, at)


def _standing(tx: Transaction, reply: Reply) -> int | None:
    for seq in tx.replies.answers(reply.session_id, reply.prompt_seq, reply.bot):
        answer = tx.log.get(reply.session_id, seq)
        if answer is not None and not answer.data.get("deleted_at"):
            return seq
    return None
