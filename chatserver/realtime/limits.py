"""The bounds of connections. Each is a setting."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    connections: int
    per_address: int
    rooms: int
    frame_bytes: int
    json_depth: int
    events_per_second: float
    events_burst: int
    events_in_flight: int
    authenticate_seconds: float
    unsent_bytes: int
    payload_packets: int
    attachments: int
    ping_interval: float
    ping_timeout: float
