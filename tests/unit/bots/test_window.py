"""Which messages fit into a budget."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.budget import Budget
from chatserver.bots.openai.estimate import estimate_messages
from chatserver.bots.openai.prompt import messages
from chatserver.bots.openai.view import View
from chatserver.bots.openai.window import fitting
from chatserver.chat.models import Event
from chatserver.chat.ports import Memory
from tests.talks import Said, answered, said, talk
from tests.unit.bots.models import declaration

SYSTEM = "Be brief."
SPOKEN = st.builds(
    lambda who, text: answered(text) if who == "ada" else said(text, who),
    st.sampled_from(["ada", "Eve", "Bob"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)
TALKS = st.lists(SPOKEN, max_size=15)
MEMORIES = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


def events_of(talked: list[Said]) -> list[Event]:
    return list(talk(*talked, said("the prompt")).messages)


@given(TALKS, st.integers(1, 20), st.floats(0, 500), MEMORIES)
def test_what_is_chosen_fits_and_ends_with_the_prompt_unless_nothing_does(
    talked: list[Said], most: int, room: float, memory: str | None
) -> None:
    events = events_of(talked)
    count = fitting(SYSTEM, events, "ada", most=most, room=room, memory=memory)
    assert 0 <= count <= min(most, len(events))
    if count == 0:
        return
    sent = messages(SYSTEM, events, "ada", count, memory)
    assert "the prompt" in sent[-1]["content"]
    assert estimate_messages(sent) <= room + 0.001


@given(TALKS, st.integers(1, 20), st.floats(0, 500), MEMORIES)
def test_no_larger_choice_would_have_fitted(
    talked: list[Said], most: int, room: float, memory: str | None
) -> None:
    events = events_of(talked)
    count = fitting(SYSTEM, events, "ada", most=most, room=room, memory=memory)
    for larger in range(count + 1, min(most, len(events)) + 1):
        sent = messages(SYSTEM, events, "ada", larger, memory)
        assert estimate_messages(sent) > room - 0.001


@given(TALKS, st.integers(1, 20), MEMORIES)
def test_a_choice_that_just_fits_is_made(talked: list[Said], most: int, memory: str | None) -> None:
    events = events_of(talked)
    count = min(most, len(events))
    room = estimate_messages(messages(SYSTEM, events, "ada", count, memory)) + 0.001
    assert fitting(SYSTEM, events, "ada", most=count, room=room, memory=memory) == count


def test_without_a_bound_of_tokens_the_window_alone_counts() -> None:
    events = events_of([said("x" * 10_000)] * 9)
    assert fitting(SYSTEM, events, "ada", most=4, room=math.inf, memory=None) == 4


@given(TALKS, st.integers(1, 3000), MEMORIES)
def test_a_prompt_is_shown_whatever_the_budget_and_the_memory_goes_before_it(
    talked: list[Said], tokens: int, memory: str | None
) -> None:
    declared = declaration("ada", prompt=SYSTEM, context_tokens=tokens)
    view, events = View(declared, Budget(tokens, None)), events_of(talked)
    count, kept = view.choose(events, 20, memory)
    sent = messages(SYSTEM, events, "ada", count, kept)
    assert "the prompt" in sent[-1]["content"]
    assert estimate_messages(sent) <= tokens + 0.001 or (count, kept) == (1, None)


def test_a_remembering_bot_is_shown_what_it_does_not_remember_yet_within_bounds() -> None:
    declared = declaration("ada", window=4, remember=True)
    view = View(declared, Budget(None, None))
    context = talk(*[said("x")] * 30)
    assert view.most(context) == 14
    for folded, shown in [(0, 14), (20, 10), (26, 4), (29, 4)]:
        memory = Memory(folded, "before", context.prompt.created_at)
        assert view.most(replace(context, memory=memory)) == shown


def test_a_fold_leaves_the_window_or_the_newest_part_of_the_budget() -> None:
    context = talk(*[said("x" * 30)] * 30)
    by_window = View(declaration("ada", window=4, remember=True), Budget(None, None))
    assert by_window.kept_from(context) == 27
    declared = declaration("ada", prompt=SYSTEM, context_tokens=130, remember=True)
    by_tokens = View(declared, Budget(130, None))
    count, _ = by_tokens.choose(context.messages, 30, None)
    assert 30 - count + 1 < by_tokens.kept_from(context) < 30


def test_an_old_prompt_that_is_asked_again_is_not_shown_a_memory_of_what_came_later() -> None:
    view = View(declaration("ada", window=4, remember=True), Budget(None, None))
    context = talk(*[said("x")] * 30)
    for through, shown in [(29, ("before", 4)), (30, (None, 14)), (40, (None, 14))]:
        memory = Memory(through, "before", context.prompt.created_at)
        asked = replace(context, memory=memory)
        assert (view.memory(asked), view.most(asked)) == shown
