"""Markdown as lines of a terminal."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from chatserver.cli.talk import markdown, view


def plain(text: str, width: int = 60) -> list[str] | None:
    laid_out = markdown.lines(text, width)
    if laid_out is None:
        return None
    return ["".join(part[1] for part in line) for line in laid_out]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Tea\nis *ready*", ["Tea", "", "is ready"]),
        ("one\ntwo", ["one", "two"]),
        ("- a\n- b", [" \u2022 a", " \u2022 b"]),
        ("```py\nif x:\n\ty\n```", ["  if x:", "      y"]),
        ("<b>bold</b> <!-- no -->", ["<b>bold</b> <!-- no -->"]),
        ("[here](http://x.y) ![a cup](/z)", ["here (http://x.y) a cup (/z)"]),
        ("<http://x.y>", ["http://x.y"]),
        ("[x]: http://hidden", ["[x]: http://hidden"]),
        ("|a|b|\n|-|-|\n|1|2|", [" a  b", " \u2500\u2500\u2500\u2500", " 1  2"]),
    ],
)
def test_what_is_laid_out_hides_nothing(text: str, shown: list[str]) -> None:
    laid_out = plain(text)
    assert laid_out is not None
    assert [line for line in laid_out if line or "" in shown] == shown


@pytest.mark.parametrize(
    "text",
    [
        "x " * 10_000,
        "a\n\n" + "> " * 30 + "deep",
        "|a" * 40 + "|\n" + "|-" * 40 + "|\n" + "|b" * 40 + "|",
        "|a|b|\n|-|-|\n|" + "x" * 90 + "|" + "y" * 90 + "|",
        "",
    ],
    ids=["long", "deep", "columns", "cells", "nothing"],
)
def test_what_would_lose_something_is_left_as_it_is(text: str) -> None:
    laid_out = plain(text)
    assert not laid_out


STEERING = (
    *("&#27;", "&#x9b;", "\x1b[2J", "\x9b", "&#x202e;", "\u202e", "&#13;", "\r", "\t"),
    *("&#x200f;", "\u061c", "&#x2028;", "\u2029"),
)
MARKUP = ("`", "```\n", "\n", "# ", "- ", "> ", "*", "**", "[a](", ")", "|", "![", "    ", "<b>")
PARTS = st.sampled_from([*STEERING, *MARKUP, "\u65e5\u672c"])


@given(st.lists(PARTS | st.text(max_size=8), max_size=30).map("".join), st.integers(20, 90))
@example("&#27;" * 12 + "0000000\U00018e00", 20)
def test_nothing_that_steers_a_terminal_is_left_and_lines_fit(text: str, width: int) -> None:
    for line in plain(text, width) or []:
        assert all(view.printable(char) for char in line if char != "\t")
        assert "\n" not in line
        assert get_cwidth(line.replace("\t", "")) <= width
