"""How many replies may wait or run: in a session, of one asker, and in all."""

from dataclasses import dataclass

from chatserver.chat.errors import Busy
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Transaction


@dataclass(frozen=True, slots=True)
class Queued:
    """Replies that wait or run. `everywhere` need not be counted beyond its limit."""

    here: int
    of_asker: int
    everywhere: int


def queued(tx: Transaction, session_id: str, asker: str, limits: Limits) -> Queued:
    return Queued(
        here=tx.replies.count_active(session_id),
        of_asker=tx.replies.count_active_of(asker),
        everywhere=tx.replies.count_waiting(limits.queued_replies),
    )


def require_queue_room(there: Queued, asked: int, limits: Limits) -> None:
    """Raises `Busy`, with how many would come before, where `asked` more are too many."""
    if there.here + asked > limits.queued_replies_per_session:
        words, waiting = "replies wait or run in this session before it", there.here
    elif there.of_asker + asked > limits.queued_replies_per_participant:
        words, waiting = "of your replies wait or run before it", there.of_asker
    elif there.everywhere + asked > limits.queued_replies:
        words, waiting = "replies wait or run before it", there.everywhere
    else:
        return
    raise Busy(f"{waiting} {words}", waiting=waiting)


def queue_room(there: Queued, limits: Limits) -> int:
    """How many more there is room for."""
    return min(
        limits.queued_replies_per_session - there.here,
        limits.queued_replies_per_participant - there.of_asker,
        limits.queued_replies - there.everywhere,
    )
