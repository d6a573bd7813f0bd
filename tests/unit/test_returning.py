"""When the clients of a server that stops come back."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatserver.realtime.returning import return_delays


def test_a_single_client_comes_back_first() -> None:
    assert list(return_delays(1, 321, 1000.0)) == [321]


def test_nobody_has_no_delays() -> None:
    assert list(return_delays(0, 500, 1000.0)) == []


@given(count=st.integers(1, 2_000), first=st.integers(0, 5_000), seed=st.integers())
def test_clients_come_back_at_the_given_rate(count: int, first: int, seed: int) -> None:
    delays = sorted(return_delays(count, first, 100.0, random.Random(seed)))
    assert delays[0] >= first
    assert delays[-1] < first + count * 10
    assert all(later - earlier <= 20 for earlier, later in pairwise(delays)), "an even rate"


def test_who_connected_first_does_not_come_back_first() -> None:
    delays = list(return_delays(1_000, 0, 1000.0, random.Random(5)))
    assert delays != sorted(delays)
