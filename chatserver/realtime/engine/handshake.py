"""What an HTTP request to the endpoint asks for, decided from its method and query alone.

Source: Engine.IO protocol v4, "Handshake" and "HTTP long-polling"; error bodies as the reference
implementation sends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from chatserver.realtime.engine.limits import EngineLimits


class Ask(Enum):
    OPEN_POLLING = "open a session over polling"
    OPEN_WEBSOCKET = "open a session over WebSocket"
    POLL = "take what waits"
    POST = "hand in packets"
    PROBE = "upgrade a session to WebSocket"


class Refusal(Enum):
    """`value`: the code in the body, and its message."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown")
    UNKNOWN_SESSION = (1, "Session ID unknown")
    BAD_METHOD = (2, "Bad handshake method")
    BAD_REQUEST = (3, "Bad request")
    FORBIDDEN = (4, "Forbidden")
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version")

    @property
    def body(self) -> dict[str, int | str]:
        code, message = self.value
        return {"code": code, "message": message}


def read_request(
    method: str, query: Mapping[str, str], is_upgrade: bool, is_known: bool
) -> Ask | Refusal:
    """`is_upgrade`: it has the header `Upgrade: websocket`; `is_known`: its sid is a session's."""
    transport = query.get("transport")
    if transport not in ("polling", "websocket"):
        return Refusal.UNKNOWN_TRANSPORT
    if query.get("EIO") != "4":
        return Refusal.UNSUPPORTED_VERSION
    over_websocket = transport == "websocket"
    if over_websocket != is_upgrade:
        return Refusal.BAD_REQUEST
    if "sid" not in query:
        if method != "GET":
            return Refusal.BAD_METHOD
        return Ask.OPEN_WEBSOCKET if over_websocket else Ask.OPEN_POLLING
    if method not in ("GET", "POST"):
        return Refusal.BAD_METHOD
    if not is_known:
        return Refusal.UNKNOWN_SESSION
    if over_websocket:
        return Ask.PROBE
    return Ask.POLL if method == "GET" else Ask.POST


@dataclass(frozen=True, slots=True)
class Handshake:
    """The data of an OPEN packet."""

    sid: str
    upgrades: tuple[str, ...]
    limits: EngineLimits

    def wire(self) -> dict[str, object]:
        """Times in milliseconds, exactly as they will be kept."""
        return {
            "sid": self.sid,
            "upgrades": list(self.upgrades),
            "pingInterval": round(self.limits.ping_interval * 1000),
            "pingTimeout": round(self.limits.ping_timeout * 1000),
            "maxPayload": self.limits.frame_bytes,
        }
