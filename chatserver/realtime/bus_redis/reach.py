"""Whether there is a Redis where the settings say, and whether it lets us in."""

import asyncio

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import TimeoutError as RedisTimeout

from chatserver.realtime.bus_redis.address import RedisAddress, Topology
from chatserver.realtime.bus_redis.dial import CONNECT_SECONDS, FAILURES, dial_of, slots_of

TRIES = 3


class RedisRefused(Exception):
    """The message says why, and what helps; it quotes no password."""


async def reach(address: RedisAddress) -> None:
    """Asks for a sign of life, of one who is only slow a few times. Raises `RedisRefused`."""
    for left in reversed(range(TRIES)):
        try:
            if address.topology is Topology.CLUSTER:
                await slots_of(address)
            else:
                await _ping(address)
        except FAILURES as failure:
            if not (left and isinstance(failure, TimeoutError | RedisTimeout)):
                raise RedisRefused(_reason(failure)) from failure
        else:
            return


async def _ping(address: RedisAddress) -> None:
    connection = await dial_of(address)()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            # Without a password that is wanted, only this fails.
            await connection.send_command("PING")
            await connection.read_response()
    finally:
        await connection.disconnect(nowait=True)


def _reason(failure: BaseException) -> str:
    match failure:
        case AuthenticationError() | AuthorizationError() | NoPermissionError():
            return f"{failure}; check the user and the password"
        case MasterNotFoundError():
            return f"{failure}; check the sentinels and the name of the master"
        case TimeoutError() | RedisTimeout():
            return "the server does not answer; check host, port and firewall"
        case OSError() | RedisError() | RedisClusterException():
            return f"{failure}; check host and port, and that the server is running"
    return "the connection was closed; check that it is a Redis, and whether it wants TLS"
