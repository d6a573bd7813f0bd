"""What a bot learns about how much its model takes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.budget import Budget


def test_without_a_declared_budget_nothing_is_bounded_until_a_request_is_refused() -> None:
    budget = Budget(None, None)
    assert budget.room == math.inf
    budget.refused(1000, 0, None)
    assert budget.room == 500


def test_a_model_that_counts_twice_what_is_estimated_is_sent_half_as_much() -> None:
    budget = Budget(1000, None)
    for _ in range(50):
        budget.counted(5000, 10_000)
    assert budget.ratio == pytest.approx(2, rel=0.01)
    assert budget.room == pytest.approx(500, rel=0.01)


def test_a_short_request_proves_little() -> None:
    budget = Budget(1000, None)
    budget.counted(5, 500)
    assert budget.ratio < 1.05


def test_an_endpoint_that_does_not_count_leaves_the_estimate_alone() -> None:
    budget = Budget(1000, None)
    budget.counted(5000, 0)
    assert budget.ratio == 1


@given(st.lists(st.tuples(st.floats(0, 1e7), st.integers(-5, 10**12)), max_size=50))
def test_whatever_an_endpoint_counts_the_ratio_stays_within_its_bounds(
    counts: list[tuple[float, int]],
) -> None:
    budget = Budget(1000, None)
    for estimated, tokens in counts:
        budget.counted(estimated, tokens)
    assert 0.25 <= budget.ratio <= 4


def test_a_refusal_halves_what_stands_before_the_prompt() -> None:
    budget = Budget(None, None)
    budget.refused(1000, 200, None)
    assert budget.room == 600


def test_a_stated_limit_is_kept_to_with_room_for_the_answer() -> None:
    budget = Budget(None, 100)
    budget.refused(1000, 200, 900)
    assert budget.room == pytest.approx(0.9 * 800)


@pytest.mark.parametrize("stated", [1000, 5000])
def test_a_stated_limit_that_does_not_explain_the_refusal_is_no_hint(stated: int) -> None:
    budget = Budget(None, None)
    budget.refused(900, 0, stated)
    assert budget.room == 450


def test_a_stated_limit_cannot_take_everything_at_once() -> None:
    budget = Budget(None, None)
    budget.refused(1000, 200, 1)
    assert budget.room == 300


def test_a_later_and_longer_refusal_does_not_raise_the_limit() -> None:
    budget = Budget(None, None)
    budget.refused(1000, 0, None)
    budget.refused(4000, 0, None)
    assert budget.room == 500


def test_the_limit_comes_back_with_the_answers_that_it_held_back_up_to_what_was_declared() -> None:
    budget = Budget(1000, None)
    budget.refused(1000, 0, None)
    for _ in range(10):
        budget.held_back()
    assert 550 < budget.room < 650
    for _ in range(50):
        budget.held_back()
    assert budget.room == 1000
