"""The framed door's frames: what is read, what is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.gateways.framed.frames import NotUtf8, WrongLength, decode, encode


def test_the_length_is_little_endian_counts_bytes_and_not_the_header() -> None:
    assert encode("hé") == b"\x03\x00\x00\x00h\xc3\xa9"
    assert decode(b"\x03\x00\x00\x00h\xc3\xa9") == "hé"
    assert encode("") == b"\x00\x00\x00\x00"
    assert encode("x" * 0x1_02_03)[:4] == b"\x03\x02\x01\x00"


@given(st.text())
def test_what_was_encoded_is_decoded_to_the_same(text: str) -> None:
    assert decode(encode(text)) == text


@given(st.text(), st.integers(0, 2**32 - 1))
def test_every_wrong_length_is_refused(text: str, length: int) -> None:
    payload = text.encode()
    frame = struct.pack("<I", length) + payload
    if length == len(payload):
        assert decode(frame) == text
    else:
        with pytest.raises(WrongLength):
            decode(frame)


@given(st.text(min_size=1), st.data())
def test_a_frame_cut_short_or_with_more_behind_it_is_refused(
    text: str, data: st.DataObject
) -> None:
    frame = encode(text)
    cut = data.draw(st.integers(0, len(frame) - 1))
    for wrong in (frame[:cut], frame + data.draw(st.binary(min_size=1))):
        with pytest.raises(WrongLength):
            decode(wrong)


@given(st.binary())
def test_any_bytes_are_a_text_or_refused(frame: bytes) -> None:
    try:
        text = decode(frame)
    except (WrongLength, NotUtf8):
        return
    assert encode(text) == frame


@pytest.mark.parametrize("payload", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"ok\x80"])
def test_a_payload_that_is_not_utf8_is_refused(payload: bytes) -> None:
    with pytest.raises(NotUtf8):
        decode(struct.pack("<I", len(payload)) + payload)
