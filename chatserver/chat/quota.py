"""How many replies somebody may ask for in a day. Days are UTC's."""

from datetime import datetime, timedelta

from chatserver.chat.errors import QuotaExceeded
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Transaction

MILLISECOND = timedelta(milliseconds=1)


def day_of(now: datetime) -> datetime:
    """Midnight before `now`, which is in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def require_quota(asked_today: int, asked: int, now: datetime, limits: Limits) -> None:
    """Raises `QuotaExceeded`, with the time until midnight, where `asked` more are too many."""
    allowed = limits.replies_per_participant_day
    if allowed and asked_today + asked > allowed:
        wait = day_of(now) + timedelta(days=1) - now
        raise QuotaExceeded(
            f"{asked_today} of the {allowed} replies a day were asked for",
            retry_after_ms=-(-wait // MILLISECOND),
        )


def replies_left(tx: Transaction, asker: str, now: datetime, limits: Limits) -> int:
    """How many more `asker` may ask for today, at most as many as a session may queue."""
    if not limits.replies_per_participant_day:
        return limits.queued_replies_per_session
    return limits.replies_per_participant_day - tx.replies.count_asked(asker, day_of(now))
