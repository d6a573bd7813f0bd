"""The bounds of connections. Each is a setting."""

from dataclasses import dataclass

from chatserver.realtime.engine.limits import EngineLimits


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    connections: int
    per_address: int
    rooms: int
    frame_bytes: int
    json_depth: int
    events_per_second: float
    events_burst: int
    slow_events: int
    authenticate_seconds: float
    unsent_bytes: int
    compress_bytes: int
    payload_packets: int
    attachments: int
    ping_interval: float
    ping_timeout: float

    def of_transport(self) -> EngineLimits:
        """Those that the transport keeps."""
        return EngineLimits(
            connections=self.connections,
            per_address=self.per_address,
            frame_bytes=self.frame_bytes,
            payload_packets=self.payload_packets,
            unsent_bytes=self.unsent_bytes,
            compress_bytes=self.compress_bytes,
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            settle_seconds=self.authenticate_seconds,
        )
