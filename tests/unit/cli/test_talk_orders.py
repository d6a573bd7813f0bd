"""Lines of `talk --json`, and what fits a terminal."""

import pytest

from chatserver.chat.errors import InvalidPayload
from chatserver.cli.talk import fit
from chatserver.cli.talk.orders import ORDERS, PageOfLog, Send, Stop, read_order
from chatserver.cli.talk.slash import COLUMN, COMMANDS, help_lines, parse


def test_a_line_without_do_says_something() -> None:
    assert read_order(b'{"text": "hi"}') == Send(text="hi")
    assert read_order(b'{"do": "send", "text": "hi", "reply_to": 3}') == Send(text="hi", reply_to=3)
    assert read_order(b'{"do": "stop"}') == Stop()
    assert read_order(b'{"do": "history", "limit": 5}') == PageOfLog(limit=5)


@pytest.mark.parametrize(
    "line",
    [b"\xff", b"{", b"1", b'{"do": []}', b'{"do": "history", "limit": 1000}', b'{"do": "retry"}'],
)
def test_any_other_line_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidPayload):
        read_order(line)


def test_every_order_and_command_is_explained() -> None:
    assert all(kind.doc for kind in ORDERS.values())
    shown = help_lines()
    assert all(any(line.startswith(f"  /{name} ") for line in shown) for name in COMMANDS)
    assert all(line[COLUMN - 1] == " " != line[COLUMN] for line in shown)


def test_a_text_of_several_lines_is_no_command() -> None:
    assert parse("/usr/bin\n/quit") is None


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("tea", 3, "tea"),
        ("teapot", 4, "tea\u2026"),
        ("\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026"),
    ],
)
def test_wide_characters_take_two_columns(text: str, width: int, shown: str) -> None:
    assert fit.clipped(text, width) == shown


def test_the_end_of_wide_text_fits_the_space() -> None:
    assert fit.tail("a\n" + "\u65e5" * 9, lines=2, width=10) == "\u65e5" * 9
    assert fit.tail("\u65e5" * 50, lines=2, width=10) == "\u65e5" * 9


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12:00 Ada: one two three four", "12:00 Ada: one two\n  three four"),
        ("12:00 Eve: x" + " " * 40 + "12:00 Ada: y", "12:00 Eve: x\n  12:00 Ada: y"),
        ("x" * 45, "x" * 20 + "\n  " + "x" * 18 + "\n  " + "x" * 7),
        ("\u65e5" * 15, "\u65e5" * 10 + "\n  " + "\u65e5" * 5),
        ("a\tb\nc", "a   b\nc"),
    ],
)
def test_only_a_new_message_begins_at_the_edge(text: str, shown: str) -> None:
    assert fit.folded(text, 20) == shown
