"""How many replies may wait or run, in a session and in all."""

from chatserver.chat.errors import Busy
from chatserver.chat.limits import Limits


def require_queue_room(here: int, everywhere: int, asked: int, limits: Limits) -> None:
    """Raises `Busy` where `asked` more are too many beside those of the session and of all.

    It says how many would have come before. `everywhere` need not be counted beyond its limit.
    """
    if here + asked > limits.queued_replies_per_session:
        raise Busy(f"{here} replies wait or run in this session before it", waiting=here)
    if everywhere + asked > limits.queued_replies:
        raise Busy(f"{everywhere} replies wait or run before it", waiting=everywhere)
