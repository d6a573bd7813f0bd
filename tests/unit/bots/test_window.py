"""Which messages fit into a budget."""

import math

from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.estimate import estimate_messages
from chatserver.bots.openai.prompt import conversation, messages
from chatserver.bots.openai.window import fitting
from chatserver.chat.models import Event
from tests.talks import Said, answered, said, talk

SYSTEM = "Be brief."
SPOKEN = st.builds(
    lambda who, text: answered(text) if who == "ada" else said(text, who),
    st.sampled_from(["ada", "Eve", "Bob"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)
TALKS = st.lists(SPOKEN, max_size=15)
MEMORIES = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


def events_of(talked: list[Said]) -> list[Event]:
    return conversation(talk(*talked, said("the prompt")))


@given(TALKS, st.integers(1, 20), st.floats(0, 500), MEMORIES)
def test_what_is_chosen_fits_and_ends_with_the_prompt_which_is_always_there(
    talked: list[Said], most: int, room: float, memory: str | None
) -> None:
    events = events_of(talked)
    count = fitting(SYSTEM, events, "ada", most=most, room=room, memory=memory)
    assert 1 <= count <= min(most, len(events))
    sent = messages(SYSTEM, events, "ada", count, memory)
    assert "the prompt" in sent[-1]["content"]
    assert count == 1 or estimate_messages(sent) <= room + 0.001


@given(TALKS, st.integers(1, 20), st.floats(0, 500), MEMORIES)
def test_no_larger_choice_would_have_fitted(
    talked: list[Said], most: int, room: float, memory: str | None
) -> None:
    events = events_of(talked)
    count = fitting(SYSTEM, events, "ada", most=most, room=room, memory=memory)
    for larger in range(count + 1, min(most, len(events)) + 1):
        sent = messages(SYSTEM, events, "ada", larger, memory)
        assert estimate_messages(sent) > room - 0.001


def test_without_a_bound_of_tokens_the_window_alone_counts() -> None:
    events = events_of([said("x" * 10_000)] * 9)
    assert fitting(SYSTEM, events, "ada", most=4, room=math.inf, memory=None) == 4


def test_a_prompt_larger_than_the_budget_is_shown_alone() -> None:
    events = conversation(talk(said("a"), answered("b"), said("x" * 10_000)))
    assert fitting(SYSTEM, events, "ada", most=4, room=50, memory=None) == 1
