"""Replies somebody may ask for in a day."""

from datetime import UTC, datetime

import pytest

from chatserver.chat.errors import QuotaExceeded
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Asked
from chatserver.chat.quota import require_quota

MIDNIGHT = datetime(2026, 3, 28, tzinfo=UTC)
LATE = datetime(2026, 3, 28, 23, 59, 59, 999_500, tzinfo=UTC)


@pytest.mark.parametrize(("today", "asked", "allowed"), [(0, 3, 3), (2, 1, 3), (99, 1, 0)])
def test_what_is_within_the_quota_is_let_through(today: int, asked: int, allowed: int) -> None:
    require_quota(Asked(today, 0), asked, LATE, Limits(replies_per_participant_day=allowed))


@pytest.mark.parametrize(("today", "asked", "allowed"), [(99, 1, 100), (100, 0, 100), (99, 1, 0)])
def test_what_is_within_the_tokens_is_let_through(today: int, asked: int, allowed: int) -> None:
    require_quota(Asked(5, today), asked, LATE, Limits(tokens_per_participant_day=allowed))


def test_who_used_the_tokens_of_the_day_is_refused() -> None:
    with pytest.raises(QuotaExceeded, match="the 100 tokens a day are used up"):
        require_quota(Asked(1, 100), 1, LATE, Limits(tokens_per_participant_day=100))


@pytest.mark.parametrize(
    ("now", "wait"),
    [(LATE, 1), (MIDNIGHT, 86_400_000), (LATE.replace(second=58), 1_001)],
)
def test_what_exceeds_it_may_come_back_at_midnight(now: datetime, wait: int) -> None:
    with pytest.raises(QuotaExceeded) as refused:
        require_quota(Asked(2, 0), 2, now, Limits(replies_per_participant_day=3))
    assert refused.value.retry_after_ms == wait
