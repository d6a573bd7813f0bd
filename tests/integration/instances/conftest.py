"""Several complete servers in this process, on one database and one Redis."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from chatserver.app import SERVER
from chatserver.realtime.bus_redis.bus import RedisBus
from chatserver.realtime.shared_feed import SharedFeed
from tests.conftest import Connect
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.servers import RunningServer, StartServer


class StartInstances(Protocol):
    async def __call__(self, count: int, **settings: Any) -> list[RunningServer]: ...


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """For tests that harm it."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def backend() -> str:
    return "postgres"


@pytest.fixture
def instances(server: StartServer, shared_redis: RedisServer, tmp_path: Path) -> StartInstances:
    """Starts so many; they share all but what is in memory."""

    async def start(count: int, **settings: Any) -> list[RunningServer]:
        shared: dict[str, Any] = {
            "database": tmp_path / "shared",
            "redis_url": shared_redis.url,
            "redis_prefix": f"test-{secrets.token_hex(4)}",
            "default_bot": "",
            **settings,
        }
        return [await server(**shared) for _ in range(count)]

    return start


def feed_of(server: RunningServer) -> SharedFeed:
    feed = server.app[SERVER].feed
    assert isinstance(feed, SharedFeed)
    return feed


def bus_of(server: RunningServer) -> RedisBus:
    bus = feed_of(server).bus
    assert isinstance(bus, RedisBus)
    return bus


def metric(server: RunningServer, name: str, **labels: str) -> float:
    return server.app[SERVER].metrics.registry.get_sample_value(f"chatserver_{name}", labels) or 0


async def in_one_room(
    connect: Connect, servers: list[RunningServer], **settings: Any
) -> tuple[str, list[RawClient]]:
    """A member on each instance, the first of them its owner."""
    clients = [await connect(server, f"member-{number}") for number, server in enumerate(servers)]
    settings = {"visibility": "link", **settings}
    session_id = (await clients[0].do("create_session", **settings))["session"]["id"]
    for client in clients[1:]:
        await client.do("join_session", session_id=session_id)
    return session_id, clients


def seqs(client: RawClient, session_id: str) -> list[int]:
    """Those of the durable events, as they came."""
    return [
        payload["seq"]
        for _, payload in client.inbox.about(session_id)
        if "sender" in payload and "seq" in payload
    ]


def are_gapless(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
