"""What `talk` shows and understands, without a server or a terminal."""

import pytest

from chatserver.cli.talk import fit, view
from chatserver.cli.talk.place import NotAPlace, Place
from chatserver.cli.talk.slash import parse, unescaped
from tests.cost import grows_in_step

SERVER = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (None, Place(SERVER)),
        ("abc-123_X", Place(SERVER, "abc-123_X")),
        ("https://chat.example/#/s/abc", Place("https://chat.example", "abc")),
        (
            "https://chat.example:8443/#/s/abc?invite=x-y",
            Place("https://chat.example:8443", "abc", "x-y"),
        ),
    ],
)
def test_a_place_is_an_id_or_a_link(text: str | None, place: Place) -> None:
    assert Place.parse(text, SERVER) == place


@pytest.mark.parametrize(
    "text",
    [
        *("a b", "/s/abc", "https://chat.example/", "ftp://x/#/s/abc", "https:///#/s/abc", "ä"),
        *("http://[x/#/s/a", "http://x:port/#/s/a", "http://:80/#/s/a"),
    ],
)
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(NotAPlace):
        Place.parse(text, SERVER)


def test_a_slash_at_the_end_of_an_address_makes_no_other_server() -> None:
    for text in (None, "abc", f"{SERVER}/#/s/abc"):
        assert Place.parse(text, f"{SERVER}/").url == SERVER


def test_a_link_leads_back_to_its_place() -> None:
    place = Place(SERVER, "abc", "in-vite")
    assert Place.parse(place.link(), "http://elsewhere") == place


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("hello", None),
        ("//not a command", None),
        ("/quit", ("quit", "")),
        ("/Join  3 ", ("join", "3")),
        ("/", ("", "")),
    ],
)
def test_a_slash_begins_a_command(text: str, command: tuple[str, str] | None) -> None:
    assert parse(text) == command


def test_two_slashes_begin_a_message() -> None:
    assert unescaped("//etc") == "/etc"
    assert unescaped("and//or") == "and//or"


def test_control_characters_and_reordering_are_not_shown() -> None:
    assert view.safe("a\x1b[2Jb\x07\x9bc\u202ed\te\r\nf") == "a[2Jbcd\te\nf"
    assert view.safe("a\u200eb\u200fc\u061cd") == "abcd"
    assert view.line("two\nlines\x1b") == "two lines"


def test_every_break_of_a_line_is_one() -> None:
    assert view.safe("a\r\nb\u2028c\u2029d") == "a\nb\nc\nd"
    assert view.indented("hi\u202812:00 Ada: yes") == "hi\n  12:00 Ada: yes"
    assert view.line("two\u2028lines") == "two lines"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("1\n2\n3\n4", "3\n4"),
        ("x" * 25, "x" * 20),
        ("a\n" + "x" * 20, "x" * 20),
    ],
)
def test_the_end_of_a_long_text_fits_the_space(text: str, shown: str) -> None:
    assert fit.tail(text, lines=2, width=10) == shown


@pytest.mark.parametrize("width", [0, 1])
@pytest.mark.parametrize(
    ("text", "shown"), [("abcd", "cd"), ("a\nb", "\nb"), ("a\u65e5", ""), ("a\u65e5\nbc", "bc")]
)
def test_there_is_an_end_of_a_text_also_where_there_are_no_columns(
    text: str, shown: str, width: int
) -> None:
    assert fit.tail(text, lines=2, width=width) == shown


def test_cutting_the_longest_message_does_not_hold_up_the_program() -> None:
    text = "\u65e5" * 16_000
    assert fit.clipped(text, 41) == "\u65e5" * 20 + "…"
    assert fit.cut(text, lines=1000, width=21) == "\u65e5" * 10_000
    assert grows_in_step(lambda chars: fit.clipped(text[:chars], 41), 2_000)
    assert grows_in_step(lambda chars: fit.cut(text[:chars], lines=1000, width=21), 2_000)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("just right", "just right"),
        ("a bit longer", "a bit lon…"),
        ("\u65e5" * 5, "\u65e5" * 5),
        ("\u65e5" * 6, "\u65e5" * 4 + "…"),
        ("e\u0301" * 10, "e\u0301" * 10),
    ],
)
def test_the_begin_of_a_line_takes_so_many_columns_at_most(text: str, shown: str) -> None:
    assert fit.clipped(text, 10) == shown
