"""What connections cost: memory and heartbeats of idle ones, coming and joining, all at once.

    python -m tests.bench.connections [--connections 500] [--idle-seconds 30] [--storm 2000]

Every round starts a server of its own on the first core. Idle clients offer permessage-deflate, as
browsers do. The storm connects, authenticates and joins rooms of 10, all at once; tokens were
issued before. Prints a row for each phase of each round, and medians. Memory is resident memory of
the server's process by which it grew, for each connection.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import uvloop

from chatserver.loadtest import Crowd, CrowdPlan
from chatserver.loadtest.tokens import issue
from tests.bench.fanout import SERVERS
from tests.bench.rows import Row, emit, medians
from tests.bench.servers import ROOT, Started, leave_first_core, started

WARM_UP = 10
ROOM = 10


@dataclass(frozen=True, slots=True)
class Size:
    connections: int
    idle_seconds: float
    storm: int


async def measure(server: Started, size: Size) -> list[Row]:
    tokens = await issue(server.target, max(size.connections, size.storm, WARM_UP))
    # Imports, pools and caches of a server that has served before.
    (await Crowd.open(server.target, CrowdPlan(WARM_UP, 1, ROOM), tokens)).close()
    rows = [await idle(server, size, tokens)] if size.connections else []
    if size.storm:
        rows.append(await storm(server, size.storm, tokens))
    return rows


async def idle(server: Started, size: Size, tokens: list[str]) -> Row:
    process = server.process
    rss, cpu = process.rss_bytes(), process.cpu_seconds()
    plan = CrowdPlan(size.connections, rooms=0, members=0, deflate=True)
    async with await Crowd.open(server.target, plan, tokens) as crowd:
        connecting = process.cpu_seconds() - cpu
        rss, cpu = process.rss_bytes() - rss, process.cpu_seconds()
        await asyncio.sleep(size.idle_seconds)
        beating = process.cpu_seconds() - cpu
        return {
            "bench": "idle",
            "server": server.name,
            "connections": size.connections,
            "lost": sum(peer.lost for peer in crowd.peers),
            "rss_bytes_per_connection": rss // size.connections,
            "connect_cpu_us_per_connection": round(connecting / size.connections * 1e6),
            "idle_cpu_ms_per_s": round(beating / size.idle_seconds * 1e3, 3),
        }


async def storm(server: Started, connections: int, tokens: list[str]) -> Row:
    plan = CrowdPlan(connections, connections // ROOM, ROOM, at_once=connections)
    cpu, begun = server.process.cpu_seconds(), time.monotonic()
    async with await Crowd.open(server.target, plan, tokens) as crowd:
        seconds = time.monotonic() - begun
        spent = server.process.cpu_seconds() - cpu
        return {
            "bench": "storm",
            "server": server.name,
            "connections": connections,
            "joined": sum(not peer.lost for peer in crowd.peers),
            "lost": sum(peer.lost for peer in crowd.peers),
            "seconds_to_all_joined": round(seconds, 3),
            "join_cpu_us_per_connection": round(spent / connections * 1e6),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["ours"])
    parser.add_argument("--connections", type=int, default=500, help="idle ones; 0: none")
    parser.add_argument("--idle-seconds", type=float, default=30)
    parser.add_argument("--storm", type=int, default=2_000, help="connections at once; 0: none")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="source of our server")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    size = Size(options.connections, options.idle_seconds, options.storm)
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for number in range(options.rounds):
        for name in options.servers:
            with tempfile.TemporaryDirectory() as folder, started(name, folder, checkout) as server:
                leave_first_core()
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    rows = runner.run(measure(server, size))
            for row in rows:
                emit(row | {"round": number})
                found[row["bench"], name].append(row)
    for each in found.values():
        emit(medians(each))


if __name__ == "__main__":
    main()
