"""The same over sockets, TLS, Sentinel and a Cluster."""

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.crc import key_slot

from chatserver.realtime.bus_redis.link import Link
from tests.conftest import Connect
from tests.integration.instances.conftest import (
    StartInstances,
    are_gapless,
    bus_of,
    in_one_room,
    metric,
    seqs,
)
from tests.integration.instances.test_messages import everyone_has
from tests.redis_server import RedisServer, free_port
from tests.servers import RunningServer
from tests.waiting import eventually

CERTIFICATE = Path(__file__).parents[1] / "bots" / "certificates" / "localhost.pem"
PASSWORD = "s3cret/with@signs"
ESCAPED = "s3cret%2Fwith%40signs"


async def talk(instances: StartInstances, connect: Connect, url: str) -> None:
    servers = await instances(2, redis_url=url)
    assert not any(bus_of(server).is_deaf for server in servers)
    sessions = [await in_one_room(connect, servers) for _ in range(8)]
    for session_id, clients in sessions:
        for client in clients:
            await client.say(session_id, "hello")
        await everyone_has(clients, session_id, 4)
    for server in servers:
        assert metric(server, "bus_published_total") >= 8
        assert metric(server, "bus_received_total") >= 8
        assert not metric(server, "gaps_healed_total")


async def test_a_unix_socket(
    instances: StartInstances, connect: Connect, shared_redis: RedisServer
) -> None:
    await talk(instances, connect, f"unix://{shared_redis.socket}")


async def test_a_password(instances: StartInstances, connect: Connect, tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", PASSWORD)
    server.start()
    try:
        await talk(instances, connect, f"redis://:{ESCAPED}@127.0.0.1:{server.port}/0")
    finally:
        server.kill()


async def test_tls(instances: StartInstances, connect: Connect, tmp_path: Path) -> None:
    port = free_port()
    files = ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file")
    tls = [part for option in files for part in (option, str(CERTIFICATE))]
    server = RedisServer(tmp_path, "--tls-port", str(port), "--tls-auth-clients", "no", *tls)
    server.start()
    try:
        url = f"rediss://localhost:{port}?ssl_ca_certs={CERTIFICATE}"
        await talk(instances, connect, url)
    finally:
        server.kill()


async def test_sentinel_names_the_master_and_the_next_one_after_its_death(
    instances: StartInstances, connect: Connect, tmp_path: Path
) -> None:
    first = RedisServer(tmp_path)
    first.start()
    second = RedisServer(tmp_path, "--replicaof", "127.0.0.1", str(first.port))
    second.start()
    port = free_port()
    sentinel = start_sentinel(tmp_path, port, first)
    watcher = RedisServer(tmp_path, port=port)
    try:
        await eventually(lambda: watcher.ask("PING") == "+PONG")
        await eventually(
            lambda: b"slaves=1" in _sentinel_info(port), within=20, what="the replica is known"
        )
        servers = await instances(2, redis_url=f"redis+sentinel://127.0.0.1:{port}/chat")
        session_id, clients = await in_one_room(connect, servers)
        await clients[0].say(session_id, "before")
        await everyone_has(clients, session_id, 3)
        first.kill()
        await eventually(lambda: all(bus_of(server).is_deaf for server in servers))
        await clients[0].say(session_id, "between")
        await eventually(lambda: not any(bus_of(server).is_deaf for server in servers), within=40)
        await clients[1].say(session_id, "after")
        await everyone_has(clients, session_id, 5)
    finally:
        sentinel.kill()
        sentinel.wait()
        first.kill()
        second.kill()


def start_sentinel(folder: Path, port: int, master: RedisServer) -> "subprocess.Popen[bytes]":
    config = folder / "sentinel.conf"
    config.write_text(
        f"sentinel monitor chat 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds chat 500\n"
        "sentinel failover-timeout chat 2000\n"
    )
    return subprocess.Popen(
        ["redis-server", str(config), "--sentinel", "--port", str(port)],
        stdout=subprocess.DEVNULL,
    )


def _sentinel_info(port: int) -> bytes:
    return subprocess.run(
        ["redis-cli", "-p", str(port), "info", "sentinel"], capture_output=True, check=False
    ).stdout


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Three masters."""
    servers = []
    with ExitStack() as stack:
        for number in range(3):
            folder = tmp_path / f"node-{number}"
            folder.mkdir()
            # Its own bus would take a port beyond all ports.
            bus = ("--cluster-port", str(free_port()))
            servers.append(RedisServer(folder, "--cluster-enabled", "yes", *bus))
            servers[-1].start()
            stack.callback(servers[-1].kill)
        addresses = [f"127.0.0.1:{server.port}" for server in servers]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"],
            check=True,
            capture_output=True,
        )
        yield servers


async def test_a_cluster_spreads_rooms_over_its_shards(
    instances: StartInstances, connect: Connect, cluster: list[RedisServer]
) -> None:
    await eventually(lambda: all(c.ask("PING") == "+PONG" for c in cluster))
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in cluster)
    await talk(instances, connect, f"redis+cluster://{hosts}")


async def test_a_lost_shard_delays_its_rooms_and_loses_nothing(
    instances: StartInstances, connect: Connect, cluster: list[RedisServer]
) -> None:
    url = f"redis+cluster://127.0.0.1:{cluster[0].port}"
    servers = await instances(2, redis_url=url)
    sessions = [await in_one_room(connect, servers) for _ in range(6)]
    cluster[2].kill()
    await eventually(lambda: all(bus_of(server).is_deaf for server in servers))
    for session_id, clients in sessions:
        last = (await clients[0].say(session_id, "meanwhile"))["seq"]
        await everyone_has(clients, session_id, last)
        assert are_gapless(seqs(clients[1], session_id))


async def test_slots_that_move_take_their_rooms_and_beats_along(
    instances: StartInstances, connect: Connect, cluster: list[RedisServer]
) -> None:
    servers = await instances(2, redis_url=f"redis+cluster://127.0.0.1:{cluster[0].port}")
    session_id, clients = await in_one_room(connect, servers)
    await clients[0].say(session_id, "before")
    await everyone_has(clients, session_id, 3)
    room = f"{servers[0].settings.redis_prefix}:s:{session_id}".encode()
    links = [link for server in servers for link in links_of(server)]
    for channel in {room, *(link.beat_channel for link in links)}:
        move(cluster, key_slot(channel))
    for number in range(4, 7):
        await clients[number % 2].say(session_id, "meanwhile")
        await everyone_has(clients, session_id, number)
    await eventually(lambda: not {*links} & {link for s in servers for link in links_of(s)})
    await eventually(lambda: not any(bus_of(server).is_deaf for server in servers))


def links_of(server: RunningServer) -> list[Link]:
    shards = bus_of(server)._shards
    assert shards is not None
    return list(shards.links())


def move(cluster: list[RedisServer], slot: int) -> None:
    """To the next master; there is nothing in it."""
    ids = [ask(server, "cluster", "myid") for server in cluster]
    channel = next(str(n) for n in itertools.count() if key_slot(str(n).encode()) == slot)
    owner = next(
        number
        for number, server in enumerate(cluster)
        if ask(server, "spublish", channel, "x").isdecimal()
    )
    taker = (owner + 1) % len(cluster)
    # Who takes over a slot that it was importing gets a newer epoch. Without, a late word of the
    # owner's undid it, and each sent clients to the other for ever.
    ask(cluster[taker], "cluster", "setslot", str(slot), "importing", ids[owner])
    ask(cluster[owner], "cluster", "setslot", str(slot), "migrating", ids[taker])
    # The one that gives it away hears of it last: nobody has it twice.
    for number in sorted(range(len(cluster)), key=lambda n: (n != taker, n == owner)):
        ask(cluster[number], "cluster", "setslot", str(slot), "node", ids[taker])


def ask(server: RedisServer, *command: str) -> str:
    asking = ["redis-cli", "-p", str(server.port), *command]
    return subprocess.run(asking, check=True, capture_output=True, text=True).stdout.strip()
