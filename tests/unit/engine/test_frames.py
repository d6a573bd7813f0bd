"""Frames as RFC 6455 wants them, read back by another implementation."""

import zlib

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from chatserver.realtime.engine.frames import (
    CloseCode,
    binary_frame,
    close_frame,
    deflated_text_frame,
    text_frame,
)
from chatserver.realtime.engine.outgoing import Outgoing


def parsed(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert not reader.buffer
    frame: Frame = done.value.value
    return frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_frame_of_any_length_is_read_as_it_was_meant(length: int) -> None:
    payload = b"x" * length
    text, binary = parsed(text_frame(payload)), parsed(binary_frame(payload))
    assert (text.opcode, text.data, text.fin) == (Opcode.TEXT, payload, True)
    assert (binary.opcode, binary.data, binary.fin) == (Opcode.BINARY, payload, True)


def test_a_deflated_frame_is_read_whatever_came_before_it() -> None:
    first, second = b"tea " * 200, b"coffee " * 200
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for payload in (first, second, first):
        data = deflated_text_frame(payload)
        assert data[0] == 0xC1
        frame = parsed(b"\x81" + data[1:])
        assert len(frame.data) < len(payload) / 10
        assert inflate.decompress(bytes(frame.data) + b"\0\0\xff\xff") == payload


@pytest.mark.parametrize(
    ("text", "least", "first"),
    [("short", 100, 0x81), ("does not shrink", 1, 0x81), ("tea " * 100, 100, 0xC1)],
)
def test_what_is_short_or_does_not_shrink_stays_plain(text: str, least: int, first: int) -> None:
    packet = Outgoing.message(text)
    assert packet.deflated(least)[0] == first
    assert packet.deflated(least) is packet.deflated(least)
    assert parsed(packet.frame).data == f"4{text}".encode()


def test_a_close_frame_carries_code_and_reason() -> None:
    frame = parsed(close_frame(CloseCode.SERVICE_RESTART, "restart"))
    assert Close.parse(bytes(frame.data)) == Close(1012, "restart")


def test_a_reason_that_is_too_long_is_cut_between_characters() -> None:
    frame = parsed(close_frame(CloseCode.PROTOCOL_ERROR, "é" * 100))
    assert len(frame.data) <= 125
    assert Close.parse(bytes(frame.data)).reason == "é" * 61
