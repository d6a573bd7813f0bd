"""Who may connect, and what one client of a server may take, as the settings say."""

from chatserver.chat.service import ChatService
from chatserver.compose.core import Core
from chatserver.realtime.connections import Connections
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.manager import RoomManager
from chatserver.settings import Settings


def connections_of(
    core: Core,
    service: ChatService,
    feed: RoomFeed,
    manager: RoomManager,
    limits: ConnectionLimits,
) -> Connections:
    return Connections(
        service=service,
        feed=feed,
        manager=manager,
        metrics=core.metrics,
        clock=core.clock,
        limits=limits,
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.connections,
        per_address=settings.connections_per_address,
        rooms=settings.rooms_per_connection,
        frame_bytes=settings.frame_bytes,
        json_depth=settings.json_depth,
        events_per_second=settings.events_per_second,
        events_burst=settings.events_burst,
        slow_events=settings.slow_events,
        authenticate_seconds=settings.authenticate_seconds,
        unsent_bytes=settings.unsent_bytes,
        compress_bytes=settings.compress_bytes,
        payload_packets=settings.payload_packets,
        attachments=0,
        ping_interval=settings.ping_interval_seconds,
        ping_timeout=settings.ping_timeout_seconds,
    )
