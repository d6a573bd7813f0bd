"""What an AI is told on its command line, and the frames that it reads."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.cli.ai import frames
from chatserver.cli.ai.framed_uri import FramedUri, NotAUri
from chatserver.cli.ai.line import Speaker
from chatserver.cli.ai.mode import Lines, Mode, NotAMode, Seconds, parse_mode
from chatserver.cli.ai.names import ai_name, ai_names, is_ai_name


@pytest.mark.parametrize(
    ("name", "n", "mode"),
    [
        ("seconds", "30", Seconds(30)),
        ("seconds", "0.2", Seconds(0.2)),
        ("lines", "1", Lines(1)),
        ("lines", "007", Lines(7)),
    ],
)
def test_a_mode_and_its_n(name: str, n: str, mode: Mode) -> None:
    assert parse_mode(name, n) == mode


@pytest.mark.parametrize("n", ["", "0", "-1", "x", "1e9999", "nan", "inf", "0" * 5_000, "٣ "])
def test_nonsense_is_no_n_of_either_mode(n: str) -> None:
    for name in ("seconds", "lines"):
        with pytest.raises(NotAMode):
            parse_mode(name, n)


@pytest.mark.parametrize("n", ["1.5", "9" * 5_000, "1_000", "٣"])
def test_lines_are_counted_in_whole_numbers(n: str) -> None:
    with pytest.raises(NotAMode):
        parse_mode("lines", n)


@given(st.none() | st.text(min_size=1))
def test_every_name_it_may_get_says_that_it_is_an_ai(wanted: str | None) -> None:
    assert is_ai_name(ai_name(wanted))
    assert ai_name(ai_name(wanted)) == ai_name(wanted) or wanted is None


def test_several_have_a_name_each() -> None:
    assert ai_names("ai_bot", 1) == ["ai_bot"]
    assert ai_names("Bob", 3) == ["AI-Bob-1", "AI-Bob-2", "AI-Bob-3"]
    assert len(set(ai_names(None, 50))) == 50


def test_the_address_of_a_framed_door() -> None:
    uri = FramedUri.parse("wss://chat.example:8443/at/ws/AI%2F1?token=x%26y")
    assert uri.name == "AI/1"
    assert uri.url == "wss://chat.example:8443/at/ws/AI%2F1?token=x%26y"
    assert str(uri) == "wss://chat.example:8443/at/ws/AI/1"
    assert uri.with_token("other") == uri


@pytest.mark.parametrize("end", ["", "/"])
def test_its_name_may_be_left_out(end: str) -> None:
    uri = FramedUri.parse(f"ws://localhost:8000/ws{end}")
    assert uri.name == ""
    assert uri.named("AI-1").with_token("a&b").url == "ws://localhost:8000/ws/AI-1?token=a%26b"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "ws://",
            "ws:///ws/a",
            "ws://h/",
            "ws://h/ws/a/b",
            "http://h/ws/a",
            "ws://h/chat",
        ),
        "ws://[/ws/a",
        "ws://h:99999/ws/a",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(NotAUri):
        FramedUri.parse(text)


def test_an_address_is_shown_without_its_secrets() -> None:
    assert str(FramedUri.parse("ws://eve:sesame@h:1/ws/AI-1?token=sesame")) == "ws://h:1/ws/AI-1"


def test_a_wrong_address_is_shown_without_its_secrets() -> None:
    with pytest.raises(NotAUri, match="chat") as refused:
        FramedUri.parse("ws://eve:sesame@h/chat?token=sesame")
    assert "sesame" not in str(refused.value)


@given(st.text())
def test_a_frame_is_its_length_in_little_endian_and_its_text(text: str) -> None:
    payload = text.encode("utf-8", "surrogatepass")
    assert frames.encode(text) == struct.pack("<I", len(payload)) + payload
    assert frames.decode(frames.encode(text)) == text


@pytest.mark.parametrize(
    "frame", [b"", b"\1\0\0", b"\2\0\0\0a", b"\0\0\0\0a", b"\1\0\0\0\xff", b"\0\0\0\1a"]
)
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        frames.decode(frame)


@pytest.mark.parametrize(
    ("text", "speaker", "name", "said"),
    [
        ("Ada: hi: there\nyou", Speaker.PERSON, "Ada", "hi: there\nyou"),
        ("AI-1: hi", Speaker.AI, "AI-1", "hi"),
        ("echo: hi", Speaker.AI, "echo", "hi"),
        ("Server: Client X joined the chat", Speaker.NOTICE, "Server", "Client X joined the chat"),
        ("nobody", Speaker.NOTICE, "Server", "nobody"),
    ],
)
def test_who_said_what_at_the_framed_door(
    text: str, speaker: Speaker, name: str, said: str
) -> None:
    line = frames.line_of(text, 7, frozenset({"echo"}))
    assert (line.speaker, line.sender.name, line.text, line.number) == (speaker, name, said, 7)


def test_a_text_is_cut_between_characters() -> None:
    assert frames.cut("aä" * 3, 5) == "aäa"
    assert frames.cut("aä", 100) == "aä"
