"""What joins a program to the other instances."""

from chatserver.compose.core import Core
from chatserver.realtime.bus_redis.address import parse_address
from chatserver.realtime.instances import Instances
from chatserver.realtime.manager import RoomManager


def instances_of(core: Core, manager: RoomManager) -> Instances | None:
    """None where the settings name no Redis: this is the only instance. Raises `BadRedisUrl`."""
    url, prefix = core.settings.redis_url, core.settings.redis_prefix
    if url is None:
        return None
    address = parse_address(url.get_secret_value())
    return Instances(address, prefix, manager, core.store, core.metrics)
