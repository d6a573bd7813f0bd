"""Frames as another implementation reads and writes them."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chatserver.loadtest.frames import Inflater, masked, split


def read(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame: Frame = done.value.value
    return frame


@pytest.mark.parametrize("size", [0, 1, 3, 4, 125, 126, 127, 65_535, 65_536, 70_001])
def test_a_masked_frame_is_read_by_another_implementation(size: int) -> None:
    payload = bytes(n % 251 for n in range(size))
    frame = read(masked(payload))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, payload)


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 3_000))
def test_frames_that_arrive_in_two_pieces_are_found_whole(payloads: list[bytes], cut: int) -> None:
    stream = b"".join(Frame(Opcode.TEXT, payload).serialize(mask=False) for payload in payloads)
    first, end = split(stream[:cut])
    got = [stream[start:stop] for _, start, stop in first]
    rest = stream[end:]
    second, used = split(rest)
    got += [rest[start:stop] for _, start, stop in second]
    assert got == payloads
    assert used == len(rest)


def test_a_frame_longer_than_65535_bytes_is_found() -> None:
    payload = b"x" * 70_000
    stream = Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert split(stream[:9]) == ([], 0)
    assert split(stream) == ([(0x81, 10, 70_010)], 70_010)


def test_compressed_messages_of_one_connection_share_their_context() -> None:
    stream = zlib.compressobj(wbits=-15)
    inflater = Inflater()
    for payload in (b"hello hello", b"hello hello again"):
        sent = stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH)
        assert inflater.inflate(sent[:-4]) == payload
