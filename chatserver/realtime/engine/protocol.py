"""What a packet from a client means, by where it came in.

Source: Engine.IO protocol v4, "Protocol", "Heartbeat" and "Upgrade".
"""

from enum import Enum

from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.packets import Packet, PacketType


class Reason:
    """Why a connection ended: the words that python-socketio hands to disconnect handlers."""

    SERVER_DISCONNECT = "server disconnect"
    CLIENT_DISCONNECT = "client disconnect"
    PING_TIMEOUT = "ping timeout"
    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"


class Effect(Enum):
    DELIVER = "hand the data to the message handler"
    ALIVE = "the client answered our ping"
    END = "the client closes the session"
    REFUSE = "the packet may not be sent here: close the session"


_EFFECTS = {
    PacketType.MESSAGE: Effect.DELIVER,
    PacketType.PONG: Effect.ALIVE,
    PacketType.CLOSE: Effect.END,
}


def on_packet(packet: Packet) -> Effect:
    """In a session's transport. In version 4 only the server pings."""
    return _EFFECTS.get(packet.type, Effect.REFUSE)


class Probe(Enum):
    """How far a WebSocket has come that wants to replace a session's polling."""

    NEW = "nothing was said yet"
    ANSWERED = "it sent its probe and got the answer"
    DONE = "the session may move to it"
    FAILED = "it is to be closed; the session stays where it is"


def on_probe(state: Probe, packet: Packet) -> Probe:
    if state is Probe.NEW and packet == (PacketType.PING, "probe"):
        return Probe.ANSWERED
    if state is Probe.ANSWERED and packet.type is PacketType.UPGRADE:
        return Probe.DONE
    return Probe.FAILED


def echoed(code: int | None) -> int:
    """The close code that answers a client's (RFC 6455, section 5.5.1)."""
    if code is None or code in (1005, 1006) or not 1000 <= code < 5000:
        return CloseCode.NORMAL
    return code
