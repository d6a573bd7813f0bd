"""What a bot says at the end of a reply, as a message of the log."""

from datetime import datetime
from typing import Literal

from chatserver.chat.bots import bot_participant
from chatserver.chat.events import MessageCreated
from chatserver.chat.models import Event, Reply, ReplyPolicy
from chatserver.chat.ports import Transaction


def may_speak(tx: Transaction, reply: Reply) -> bool:
    """Not where replies were switched off meanwhile, or the bot is no longer a member."""
    session = tx.sessions.get(reply.session_id)
    role = tx.members.role(reply.session_id, bot_participant(reply.bot).id)
    return session is not None and session.reply_policy is not ReplyPolicy.OFF and role is not None


def say(
    tx: Transaction,
    reply: Reply,
    text: str,
    at: datetime,
    cut: Literal["stopped", "failed"] | None = None,
) -> Event | None:
    """The reply's message; None where there is nothing to be said, or nobody may say it.

    It takes the place of what the same bot last answered to the same prompt. `cut` says why the
    text is not whole.
    """
    if not text.strip() or not may_speak(tx, reply):
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
    seq = tx.replies.last_answer(reply.session_id, reply.prompt_seq, reply.bot)
    answer = None if seq is None else tx.log.get(reply.session_id, seq)
    return None if answer is None or answer.data.get("deleted_at") else seq
