"""How many tokens a text is taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.estimate import estimate, estimate_messages

PROSE = (
    "The quick brown fox jumps over the lazy dog, and nobody in the yard takes any notice of it."
)


@pytest.mark.parametrize("text", ["你好世界", "こんにちは", "안녕하세요"])
def test_a_character_of_the_far_east_is_a_token_or_more(text: str) -> None:
    assert estimate(text) == pytest.approx(1.5 * len(text))


def test_prose_is_not_taken_for_less_than_its_words() -> None:
    assert len(PROSE.split()) < estimate(PROSE) < 2 * len(PROSE.split())


def test_an_emoji_is_two_tokens() -> None:
    assert estimate("🙂") == 2


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_estimates_add_up_and_lie_between_a_third_and_a_half_of_the_bytes(a: str, b: str) -> None:
    size = len((a + b).encode())
    assert estimate(a + b) == pytest.approx(estimate(a) + estimate(b))
    assert size / 3 - 0.01 <= estimate(a + b) <= size / 2 + 0.01


def test_each_message_costs_more_than_its_text() -> None:
    assert estimate_messages([{"role": "user", "content": ""}]) > 0
