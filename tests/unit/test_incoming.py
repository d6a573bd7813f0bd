"""Socket.IO packets from clients, checked without a connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet

from chatserver.realtime.codec import Codec
from chatserver.realtime.incoming import (
    BadPacket,
    UnexpectedBinary,
    add_attachment,
    read_packet,
)


class OurPacket(Packet):  # type: ignore[misc]  # python-socketio is untyped
    json = Codec(32)


def test_an_event_is_read_with_its_number() -> None:
    packet = read_packet('2/chat,7["say",{"a":1}]', OurPacket, 0)
    assert (packet.namespace, packet.id, packet.data) == ("/chat", 7, ["say", {"a": 1}])


@pytest.mark.parametrize("text", ["51000000000-[]", "511-[]", "51-[]"])
def test_no_more_attachments_are_announced_than_accepted(text: str) -> None:
    with pytest.raises(BadPacket):
        read_packet(text, OurPacket, 0)


def test_a_packet_is_complete_with_its_last_attachment() -> None:
    placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
    packet = read_packet(f'52-["say",{placeholders}]', OurPacket, 2)
    assert not add_attachment(packet, b"a")
    assert add_attachment(packet, b"b")
    assert packet.data == ["say", b"a", b"b"]


@pytest.mark.parametrize("number", ["9", '"x"', "null", "[]"])
def test_a_placeholder_for_no_attachment_is_refused(number: str) -> None:
    packet = read_packet(f'51-["say",{{"_placeholder":true,"num":{number}}}]', OurPacket, 2)
    with pytest.raises(BadPacket):
        add_attachment(packet, b"a")


def test_text_where_an_attachment_was_announced_is_refused() -> None:
    packet = read_packet('51-["say",{"_placeholder":true,"num":0}]', OurPacket, 2)
    with pytest.raises(BadPacket):
        add_attachment(packet, '2["say"]')


def test_bytes_that_nothing_announced_are_refused() -> None:
    with pytest.raises(UnexpectedBinary):
        read_packet(b"x", OurPacket, 2)


@given(st.one_of(st.text(), st.text(alphabet='0123456/-,[]{}"chat1e9\\ud8')))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        packet = read_packet(text, OurPacket, 2)
    except BadPacket:
        return
    assert packet.packet_type in range(7)
    assert packet.attachment_count <= 2
