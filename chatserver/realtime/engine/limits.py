"""The bounds that the transport keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Sizes in bytes, times in seconds."""

    connections: int = 20_000
    per_address: int = 200
    """Told in words up to twice as many; refused without a word beyond."""
    frame_bytes: int = 1_000_000
    """Largest frame, and largest body of a polling request."""
    payload_packets: int = 16
    compress_bytes: int = 0
    """Smallest frame that is compressed for WebSocket clients that offer it; 0: none is."""
    unsent_bytes: int = 1_048_576
    """More than that waiting for one client cuts it off."""
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    settle_seconds: float = 10.0
    """How long a connection may take to become of use to somebody (see `Sessions.settled`)."""
    upgrade_seconds: float = 10.0
