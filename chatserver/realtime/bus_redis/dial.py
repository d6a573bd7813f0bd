"""Connections of redis-py, ready to be written to and read from."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis, Sentinel
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.exceptions import RedisClusterException, RedisError

from chatserver.realtime.bus_redis.address import RedisAddress, Topology

CONNECT_SECONDS = 3.0
"""A frozen server takes connections and says nothing."""

FAILURES = (
    RedisError,
    RedisClusterException,  # is none of those
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    EOFError,
)
"""What may come of a connection."""

Dial = Callable[[], Awaitable[AbstractConnection]]
"""Raises one of `FAILURES`."""


def dial_of(address: RedisAddress) -> Dial:
    """To the one server that takes what is published: the master, where there are several."""
    if address.topology is Topology.SENTINEL:
        return lambda: _dial_master(address)
    return lambda: _connect(address.connection, address.options)


def dial_node(address: RedisAddress, host: str, port: int) -> Dial:
    options = {**address.options, "host": host, "port": port}
    return lambda: _connect(address.connection, options)


async def slots_of(address: RedisAddress) -> dict[int, tuple[str, int]]:
    """The master of each slot of a cluster. Raises one of `FAILURES`."""
    options = dict(address.options)
    cluster = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
        ssl=issubclass(address.connection, SSLConnection),
        socket_timeout=CONNECT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        **options,
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await cluster.initialize()
        cache = cluster.nodes_manager.slots_cache
        return {slot: (str(nodes[0].host), int(nodes[0].port)) for slot, nodes in cache.items()}
    finally:
        await cluster.aclose()


async def _dial_master(address: RedisAddress) -> AbstractConnection:
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        address.hosts,
        socket_timeout=CONNECT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        **(address.sentinel_options or {}),
    )
    try:
        host, port = await sentinel.discover_master(address.service)
    finally:
        for each in sentinel.sentinels:
            assert isinstance(each, Redis)
            await each.aclose()
    return await _connect(address.connection, {**address.options, "host": host, "port": port})


async def _connect(kind: type[AbstractConnection], options: dict[str, Any]) -> AbstractConnection:
    # Without a timeout of its own for reads: on a listener it would be an error for ever. RESP 2,
    # because nothing but what was asked for may come.
    connection = kind(
        **{
            **options,
            "protocol": 2,
            "socket_timeout": None,
            "socket_connect_timeout": CONNECT_SECONDS,
            "health_check_interval": 0,
        }
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection
