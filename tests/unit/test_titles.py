"""A title from what a person said first, and what is left of a title that a model made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chatserver.chat.commands import Title
from chatserver.chat.titles import TITLE_CHARS, clean_title, first_words, plain_title
from tests.cost import grows_in_step
from tests.talks import answered, said, talk


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I cook rice? I am hungry.", "How do I cook rice?"),
        ("The meeting moved to nine. Tell Bob.", "The meeting moved to nine"),
        ("Hi. Can you help me with taxes?", "Hi. Can you help me with taxes?"),
        ("@echo, **how** do I _cook_ `rice`?", "how do I cook rice?"),
        ("Hello @echo how are you", "Hello how are you"),
        ("# Plan\nThe rest", "Plan"),
        ("> - [ ] Go [home](https://home.example) now", "Go home now"),
        ("```py\nprint(1)\n```\nWhat does it print", "What does it print"),
        ("\n\n***\n\nAfter a rule", "After a rule"),
        ("Is 2 * 3 * 4 = 24?", "Is 2 * 3 * 4 = 24?"),
        ("Write to ada@example.org", "Write to ada@example.org"),
        ("snake_case_names are fine", "snake_case_names are fine"),
        ("東京は楽しいですか。はい、楽しいです。", "東京は楽しいですか。はい、楽しいです。"),
        ("turned\u202e around\x07", "turned around"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * (TITLE_CHARS - 1) + "…"),
        ("@echo", ""),
        ("```\nonly code\n```", ""),
        ("https://example.org/a/page", ""),
        ("?!", ""),
        ("\u200b", ""),
    ],
)
def test_a_title_is_the_first_sentence_as_plain_text(text: str, title: str) -> None:
    assert plain_title(text) == title


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ('"Cooking rice."', "Cooking rice"),
        ("„Reis kochen“", "Reis kochen"),
        ("Cooking\n  rice\t\x00", "Cooking rice"),
        ('The "best" rice', 'The "best" rice'),
        ('"', '"'),
        ("Wait...", "Wait..."),
    ],
)
def test_a_models_title_becomes_one_line_without_quotes(raw: str, title: str) -> None:
    assert clean_title(raw) == title


@given(st.text(max_size=300))
def test_every_title_is_one_that_a_person_might_have_given(text: str) -> None:
    for title in (plain_title(text), clean_title(text)):
        assert len(title) <= TITLE_CHARS
    storable = text.encode("utf-8", "ignore").decode()
    for title in (plain_title(storable), clean_title(storable)):
        assert TypeAdapter(Title).validate_python(title) == title


def test_the_first_words_are_a_persons_and_not_a_bots() -> None:
    assert first_words(talk(answered("Welcome!"), said("Any tea left?")).messages) == (
        "Any tea left?"
    )
    assert first_words(talk(answered("Welcome!")).messages) == ""


@pytest.mark.parametrize("piece", ["<", "[", "*", "_ ", "<[`\n", "- ", "!["])
def test_no_message_makes_titling_slow(piece: str) -> None:
    assert grows_in_step(lambda chars: plain_title(piece * (chars // len(piece))), 2_000)
