"""What requests and packets mean, without a socket."""

import pytest

from chatserver.realtime.engine.handshake import Ask, Handshake, Refusal, read_request
from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.packets import Packet, PacketType
from chatserver.realtime.engine.protocol import Effect, Probe, echoed, on_packet, on_probe

POLLING = {"EIO": "4", "transport": "polling"}
WEBSOCKET = {"EIO": "4", "transport": "websocket"}
SID = {"sid": "abc"}


@pytest.mark.parametrize(
    ("method", "query", "is_upgrade", "ask"),
    [
        ("GET", POLLING, False, Ask.OPEN_POLLING),
        ("GET", WEBSOCKET, True, Ask.OPEN_WEBSOCKET),
        ("GET", POLLING | SID, False, Ask.POLL),
        ("POST", POLLING | SID, False, Ask.POST),
        ("GET", WEBSOCKET | SID, True, Ask.PROBE),
        ("GET", {"EIO": "4"}, False, Refusal.UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4", "transport": "abc"}, False, Refusal.UNKNOWN_TRANSPORT),
        ("GET", {"transport": "polling"}, False, Refusal.UNSUPPORTED_VERSION),
        ("GET", {"transport": "polling", "EIO": "3"}, False, Refusal.UNSUPPORTED_VERSION),
        ("POST", POLLING, False, Refusal.BAD_METHOD),
        ("PUT", POLLING, False, Refusal.BAD_METHOD),
        ("DELETE", POLLING | SID, False, Refusal.BAD_METHOD),
        ("HEAD", POLLING | SID, False, Refusal.BAD_METHOD),
        ("GET", WEBSOCKET, False, Refusal.BAD_REQUEST),
        ("GET", POLLING, True, Refusal.BAD_REQUEST),
    ],
)
def test_a_request_asks_for_one_thing_or_is_refused(
    method: str, query: dict[str, str], is_upgrade: bool, ask: Ask | Refusal
) -> None:
    assert read_request(method, query, is_upgrade, is_known=True) is ask


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_session_is_refused(method: str) -> None:
    assert read_request(method, POLLING | SID, False, False) is Refusal.UNKNOWN_SESSION


def test_a_handshake_tells_times_in_exact_milliseconds() -> None:
    limits = EngineLimits(ping_interval=0.3, ping_timeout=0.2, frame_bytes=65_536)
    assert Handshake("abc", ("websocket",), limits).wire() == {
        "sid": "abc",
        "upgrades": ["websocket"],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 65_536,
    }


def test_only_messages_pongs_and_the_end_may_come_from_a_client() -> None:
    effects = {kind: on_packet(Packet(kind)) for kind in PacketType}
    assert effects.pop(PacketType.MESSAGE) is Effect.DELIVER
    assert effects.pop(PacketType.PONG) is Effect.ALIVE
    assert effects.pop(PacketType.CLOSE) is Effect.END
    assert set(effects.values()) == {Effect.REFUSE}


def test_an_upgrade_is_a_probe_and_then_its_completion() -> None:
    assert on_probe(Probe.NEW, Packet(PacketType.PING, "probe")) is Probe.ANSWERED
    assert on_probe(Probe.ANSWERED, Packet(PacketType.UPGRADE)) is Probe.DONE


@pytest.mark.parametrize(
    ("state", "packet"),
    [
        (Probe.NEW, Packet(PacketType.PING, "")),
        (Probe.NEW, Packet(PacketType.UPGRADE)),
        (Probe.NEW, Packet(PacketType.MESSAGE, "probe")),
        (Probe.ANSWERED, Packet(PacketType.PING, "probe")),
        (Probe.ANSWERED, Packet(PacketType.MESSAGE, "hello")),
    ],
)
def test_anything_else_fails_the_upgrade(state: Probe, packet: Packet) -> None:
    assert on_probe(state, packet) is Probe.FAILED


def test_only_codes_that_may_be_sent_are_echoed() -> None:
    assert [echoed(code) for code in (1001, 4000, None, 0, 1005, 1006, 99)] == [
        1001,
        4000,
        *[1000] * 5,
    ]
