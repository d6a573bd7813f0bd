"""When a model is asked again."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.retry import (
    CAP_SECONDS,
    FIRST_SECONDS,
    RETRY_AFTER_CAP_SECONDS,
    pause_before,
    retry_after,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.integers(0, 10), st.integers())
def test_pauses_have_full_jitter_below_a_span_that_doubles_up_to_a_cap(
    attempt: int, seed: int
) -> None:
    pause = pause_before(attempt, None, random.Random(seed))
    assert pause is not None
    assert 0 <= pause <= min(CAP_SECONDS, FIRST_SECONDS * 2**attempt)


def test_a_pause_is_never_shorter_than_asked_for() -> None:
    assert all((pause_before(0, 5.0, random.Random(seed)) or 0) >= 5.0 for seed in range(50))


@pytest.mark.parametrize("asked", [RETRY_AFTER_CAP_SECONDS + 1, float("inf")])
def test_who_asks_for_too_long_a_pause_is_not_asked_again(asked: float) -> None:
    assert pause_before(0, asked, random.Random(1)) is None
