"""Frames as RFC 6455 wants them, read back by another implementation."""

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from chatserver.realtime.engine.frames import CloseCode, binary_frame, close_frame, text_frame


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


def test_a_close_frame_carries_code_and_reason() -> None:
    frame = parsed(close_frame(CloseCode.SERVICE_RESTART, "restart"))
    assert Close.parse(bytes(frame.data)) == Close(1012, "restart")


def test_a_reason_that_is_too_long_is_cut_between_characters() -> None:
    frame = parsed(close_frame(CloseCode.PROTOCOL_ERROR, "é" * 100))
    assert len(frame.data) <= 125
    assert Close.parse(bytes(frame.data)).reason == "é" * 61
