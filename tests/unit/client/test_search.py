"""Where words stand in a text."""

import pytest

from chatserver.client.search import spans


@pytest.mark.parametrize(
    ("words", "text", "marked"),
    [
        ("tea", "Is there Tea?", ["Tea"]),
        ("tea is", "Is there tea?", ["Is", "tea"]),
        ("tea coffee", "Is there tea?", []),
        ("ea t", "teat", ["teat"]),
        ("straße", "Die STRAßE", ["STRAßE"]),
        ("a.c", "abc a.c", ["a.c"]),
        ("日本", "日本語と日本", ["日本", "日本"]),
        ("", "anything", []),
    ],
)
def test_all_words_have_to_be_there(words: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in spans(words, text)] == marked
