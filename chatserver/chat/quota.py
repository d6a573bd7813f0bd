"""How many replies, and of how many tokens, somebody may ask for in a day. Days are UTC's.

Exact where one process writes. Where several do, each asks before it counts: requests of one person
that several instances accept in the same moment, in different sessions, may each find the last one
free, so that up to one more for each further instance gets through. What came too much is counted.
"""

from datetime import datetime, timedelta

from chatserver.chat.errors import QuotaExceeded
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Asked, Transaction

MILLISECOND = timedelta(milliseconds=1)


def has_quota(limits: Limits) -> bool:
    """Whether `require_quota` needs to know anything."""
    return bool(limits.replies_per_participant_day or limits.tokens_per_participant_day)


def require_quota(today: Asked, asked: int, now: datetime, limits: Limits) -> None:
    """Raises `QuotaExceeded`, with the time until midnight, where `asked` more are too many.

    What a reply uses is known when it has ended, so the last ones of a day may go beyond the
    tokens: at most as many as may run or wait at once.
    """
    replies, tokens = limits.replies_per_participant_day, limits.tokens_per_participant_day
    if replies and today.replies + asked > replies:
        used = f"{today.replies} of the {replies} replies a day were asked for"
    elif tokens and asked and today.tokens >= tokens:
        used = f"the {tokens} tokens a day are used up"
    else:
        return
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    raise QuotaExceeded(used, retry_after_ms=-(-(midnight - now) // MILLISECOND))


def replies_left(tx: Transaction, asker: str, now: datetime, limits: Limits) -> int:
    """How many more `asker` may ask for today, at most as many as a session may queue."""
    left = limits.queued_replies_per_session
    if not has_quota(limits):
        return left
    today = tx.usage.of(asker, now)
    if limits.tokens_per_participant_day and today.tokens >= limits.tokens_per_participant_day:
        return 0
    if not limits.replies_per_participant_day:
        return left
    return min(left, limits.replies_per_participant_day - today.replies)
