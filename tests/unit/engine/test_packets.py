"""Packets and payloads: what is read, what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.engine.packets import (
    SEPARATOR,
    InvalidPacket,
    Packet,
    PacketType,
    TooManyPackets,
    decode_packet,
    decode_payload,
    encode_polled,
)


def test_a_text_packet_is_its_type_and_its_data() -> None:
    assert decode_packet("4hello") == Packet(PacketType.MESSAGE, "hello")
    assert decode_packet("2probe") == Packet(PacketType.PING, "probe")
    assert decode_packet("3") == Packet(PacketType.PONG, "")


def test_a_binary_websocket_message_is_a_message() -> None:
    assert decode_packet(b"\x04\x00") == Packet(PacketType.MESSAGE, b"\x04\x00")


@pytest.mark.parametrize("text", ["", "7", "a", "-1", "²", "\x1e", "b!!", " 4"])
def test_what_begins_with_no_packet_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidPacket):
        decode_packet(text)


def test_data_that_looks_like_json_stays_text() -> None:
    assert decode_packet('4{"a":1}').data == '{"a":1}'


def test_a_payload_holds_packets_in_the_order_sent() -> None:
    packets = decode_payload(b"4a\x1e4b\x1ebAQIDBA==", 16)
    assert [packet.data for packet in packets] == ["a", "b", b"\x01\x02\x03\x04"]


@pytest.mark.parametrize("body", [b"", b"abc", b"4a\x1e", b"\x1e4a", b"b=", b"bAQ", b"4\xff"])
def test_a_payload_with_anything_else_in_it_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPacket):
        decode_payload(body, 16)


def test_as_many_packets_as_allowed_are_read_and_one_more_is_refused() -> None:
    assert len(decode_payload(b"\x1e".join([b"3"] * 16), 16)) == 16
    with pytest.raises(TooManyPackets):
        decode_payload(b"\x1e".join([b"3"] * 17), 16)


@given(
    st.lists(st.one_of(st.text(alphabet=st.characters(exclude_characters=SEPARATOR)), st.binary()))
)
def test_what_is_encoded_for_polling_is_decoded_to_the_same(data: list[str | bytes]) -> None:
    packets = [Packet(PacketType.MESSAGE, each) for each in ["first", *data]]
    try:
        body = SEPARATOR.join(encode_polled(packet) for packet in packets).encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair cannot be sent at all
    assert decode_payload(body, len(packets)) == packets


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused_by_name(body: bytes) -> None:
    with suppress(InvalidPacket):
        decode_payload(body, 16)


def test_a_packet_is_encoded_for_polling_once() -> None:
    packet = Outgoing.message("é")
    assert packet.polled == "4é"
    assert packet.polled is packet.polled
    assert packet.frame == b"\x81\x03" + "4é".encode()
    assert Outgoing.message(b"\x01").frame == b"\x82\x01\x01"
