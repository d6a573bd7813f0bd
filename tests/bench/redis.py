"""What a message of one instance costs another: ours beside python-socketio and Node, in one run.

    python -m tests.bench.redis [--rounds 5] [--members 0 1 10] [--rooms 50] [--messages 5000]

Two instances of each server share a Redis, and ours a PostgreSQL. On the first, somebody sends in
each of the rooms, alone there; the CPU is the second's, which has so many members of each room (0:
it hosts none of them). What the second costs when nothing is sent is taken off. 150-byte texts, one
in flight for each room; rounds interleaved. All servers share the first core. With one room nothing
can be gathered: each message wakes the second instance by itself.
"""

import argparse
import asyncio
import os
import secrets
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from chatserver.loadtest import Crowd, CrowdPlan, Load
from chatserver.loadtest.peer import MESSAGE, Peer
from chatserver.loadtest.tally import Tally
from chatserver.loadtest.tokens import issue
from tests.bench.rows import Row, emit, medians
from tests.bench.servers import Started, leave_first_core, started
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

SERVERS = ("ours", "python-socketio", "node")
QUIET_SECONDS = 1.0
ARRIVAL_SECONDS = 10.0


class Watcher(Peer):
    """A member on the second instance; counts what it is told."""

    __slots__ = ("told",)
    told: int

    def packet(self, data: bytes, start: int, stop: int) -> None:
        if data.startswith(MESSAGE, start):
            self.told += 1
        else:
            super().packet(data, start, stop)


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    first: Started
    second: Started


@contextmanager
def pair(name: str, folder: str, redis: RedisServer, database: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        home = Path(folder) / name
        settings = {
            "REDIS_URL": redis.url,
            "CHATSERVER_REDIS_PREFIX": f"bench-{secrets.token_hex(4)}",
            "DATABASE_URL": database,
        }
        servers = []
        for part in ("first", "second"):
            (home / part).mkdir(parents=True)
            servers.append(stack.enter_context(started(name, str(home / part), settings=settings)))
        yield Pair(name, *servers)


async def compare(pairs: list[Pair], members: int, rooms: int, rounds: int, load: Load) -> None:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        crowds = []
        for each in pairs:
            plan = CrowdPlan(connections=rooms, rooms=rooms, members=1)
            crowd = await stack.enter_async_context(await Crowd.open(each.first.target, plan))
            watching = []
            for number, token in enumerate(await issue(each.second.target, members + 1)):
                watcher = await Watcher.connect(each.second.target, token, Tally(b"-watch--"))
                watcher.told = 0
                stack.callback(watcher.close)
                if number == members:
                    # Somebody is there in any case: python-socketio listens only then.
                    continue
                for session_id in crowd.sessions:
                    await watcher.call("join_session", {"session_id": session_id})
                watching.append(watcher)
            await crowd.run(load)
            crowds.append((each, crowd, watching))
        for number in range(rounds):
            for each, crowd, watching in crowds:
                row = await measure(each, crowd, watching, load)
                found[each.name].append(row | {"members": members, "rooms": rooms, "round": number})
                emit(found[each.name][-1])
    for rows in found.values():
        emit(medians(rows))


async def measure(each: Pair, crowd: Crowd, watching: list[Watcher], load: Load) -> Row:
    process = each.second.process
    before = process.cpu_seconds()
    await asyncio.sleep(QUIET_SECONDS)
    idle = (process.cpu_seconds() - before) / QUIET_SECONDS

    loop = asyncio.get_running_loop()
    for watcher in watching:
        watcher.told = 0
    before, began = process.cpu_seconds(), loop.time()
    measured = await crowd.run(load)
    expected = measured.messages * len(watching)
    while sum(watcher.told for watcher in watching) < expected:
        if loop.time() - began > measured.seconds + ARRIVAL_SECONDS:
            break
        await asyncio.sleep(0.01)
    seconds = loop.time() - began
    cpu = process.cpu_seconds() - before - idle * seconds
    told = sum(watcher.told for watcher in watching)
    return {
        "bench": "redis",
        "server": each.name,
        "messages": measured.messages,
        "deliveries": told,
        "lost": expected - told,
        "messages_per_s": round(measured.messages / measured.seconds),
        "cpu_us_per_message": round(cpu / measured.messages * 1e6, 2),
        "idle_cpu_us_per_second": round(idle * 1e6),
        "ack_p99_ms": measured.acks.milliseconds(99),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", type=int, nargs="+", default=[0, 1, 10])
    parser.add_argument("--messages", type=int, default=5_000, help="of each round")
    parser.add_argument("--rooms", type=int, default=50)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    options = parser.parse_args()
    os.environ.pop("REDIS_URL", None)
    load = Load(in_flight=options.rooms, messages=options.messages)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        redis = RedisServer(Path(folder))
        redis.start()
        stack.callback(redis.kill)
        postgres = stack.enter_context(PostgresServer().running())
        database = asyncio.run(postgres.fresh())
        pairs = [
            stack.enter_context(pair(name, folder, redis, database)) for name in options.servers
        ]
        leave_first_core()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for members in options.members:
                runner.run(compare(pairs, members, options.rooms, options.rounds, load))


if __name__ == "__main__":
    main()
