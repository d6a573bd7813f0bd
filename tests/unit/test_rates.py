from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.chat.rates import RateLimiter, TokenBucket


class Seconds:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> datetime:
        raise AssertionError("rates never look at the wall clock")

    def monotonic(self) -> float:
        return self.at


def test_a_burst_is_admitted_at_once_and_the_next_must_wait() -> None:
    bucket = TokenBucket(2.0, 3, Seconds())
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take() == pytest.approx(0.5)


def test_a_refusal_takes_nothing() -> None:
    clock = Seconds()
    bucket = TokenBucket(1.0, 1, clock)
    bucket.take()
    for _ in range(100):
        assert bucket.take() > 0
    clock.at += 1.0
    assert bucket.take() == 0


def test_an_idle_bucket_holds_no_more_than_its_burst() -> None:
    clock = Seconds()
    bucket = TokenBucket(10.0, 2, clock)
    clock.at += 3_600
    assert [bucket.take() == 0 for _ in range(3)] == [True, True, False]


@given(rate=st.floats(0.01, 10_000), burst=st.integers(1, 500), start=st.floats(0, 1e7))
def test_waiting_exactly_as_long_as_told_is_enough(rate: float, burst: int, start: float) -> None:
    clock = Seconds()
    clock.at = start
    bucket = TokenBucket(rate, burst, clock)
    for _ in range(burst + 20):
        wait = bucket.take()
        if wait:
            clock.at += wait
            assert bucket.take() == 0


@given(pauses=st.lists(st.floats(0, 0.4), max_size=200))
def test_never_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    clock = Seconds()
    bucket = TokenBucket(5.0, 4, clock)
    admitted = 0
    for pause in pauses:
        clock.at += pause
        admitted += bucket.take() == 0
    assert admitted <= 4 + 5.0 * (clock.at - 1_000.0) + 1e-6


def test_keys_do_not_share_a_bucket() -> None:
    limiter = RateLimiter(1.0, 1, Seconds())
    assert limiter.take("a") == 0
    assert limiter.take("b") == 0
    assert limiter.take("a") > 0


def test_the_table_of_keys_is_bounded_and_forgets_the_least_recent_first() -> None:
    limiter = RateLimiter(1.0, 1, Seconds(), keys=2)
    limiter.take("a")
    limiter.take("b")
    assert limiter.take("a") > 0
    limiter.take("c")
    assert len(limiter) == 2
    assert limiter.take("a") > 0, "a was seen after b and is still known"
    assert limiter.take("b") == 0, "b was forgotten"


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_admits_nothing_is_refused_at_once(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        RateLimiter(rate, burst, Seconds())
