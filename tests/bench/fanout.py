"""What one delivery costs: ours beside stock python-socketio and Node's socket.io, in one run.

    python -m tests.bench.fanout [--rounds 5] [--members 10 100 1000] [--in-flight 50]

All servers run at once on the first core, but only one is loaded at a time; rounds are interleaved
(A B C A B C), so that what else the machine does hits all alike. 150-byte texts in a closed loop;
one message in flight shows a server that can gather nothing.
Prints a row for each round, medians for each server, and the ratios ours/Node as the median of the
rounds' ratios. --checkout measures our server from another source tree.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import uvloop

from chatserver.loadtest import Crowd, CrowdPlan, Load
from tests.bench.rows import Row, emit, loaded, medians
from tests.bench.servers import ROOT, Started, leave_first_core, started

SERVERS = ("ours", "ours, no database", "python-socketio", "node", "node, durable")
RATIOS = (("ours, no database", "node"), ("ours", "node, durable"), ("ours", "python-socketio"))
IN_FLIGHT = 50
DELIVERIES = {10: 30_000, 100: 50_000, 1000: 100_000}
"""Of one round, for rooms of so many members: a second or less of the fastest server."""


async def compare(
    servers: list[Started], members: int, rounds: int, deliveries: int, in_flight: int
) -> None:
    connections = max(members, IN_FLIGHT)
    plan = CrowdPlan(connections=connections, rooms=connections // members, members=members)
    load = Load(in_flight=in_flight, messages=max(IN_FLIGHT, deliveries // members))
    warm_up = Load(in_flight=in_flight, messages=max(IN_FLIGHT, deliveries // members // 4))
    found: defaultdict[str, list[Row]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        crowds = []
        for server in servers:
            crowd = await stack.enter_async_context(await Crowd.open(server.target, plan))
            await crowd.run(warm_up)
            crowds.append((server, crowd))
        for number in range(rounds):
            for server, crowd in crowds:
                before = server.process.cpu_seconds()
                measured = await crowd.run(load)
                cpu = server.process.cpu_seconds() - before
                row = {"bench": "fanout", "server": server.name, "members": members}
                row |= {"in_flight": in_flight}
                row |= {"round": number} | loaded(measured, cpu)
                found[server.name].append(row)
                emit(row)
    for rows in found.values():
        emit(medians(rows))
    for ours, theirs in RATIOS:
        if found[ours] and found[theirs]:
            emit(ratio(ours, theirs, found[ours], found[theirs]))


def ratio(ours: str, theirs: str, of_ours: list[Row], of_theirs: list[Row]) -> Row:
    """Below 1 is cheaper; rates above 1 are faster. Rounds that ran side by side are compared."""
    row: Row = {"bench": "fanout", "ratio": f"{ours} / {theirs}", "members": of_ours[0]["members"]}
    for key in ("cpu_us_per_delivery", "messages_per_s"):
        each = [a[key] / b[key] for a, b in zip(of_ours, of_theirs, strict=True)]
        row[key] = round(statistics.median(each), 3)
        row[f"{key}_range"] = [round(min(each), 3), round(max(each), 3)]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", type=int, nargs="+", default=sorted(DELIVERIES))
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    parser.add_argument("--deliveries", type=int, help="of each round")
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT, help="messages")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="source of our server")
    options = parser.parse_args()
    for members in options.members:
        deliveries = options.deliveries or DELIVERIES.get(members, 50_000)
        # Fresh servers for every size: no rooms of another are left over.
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            servers = [
                stack.enter_context(started(name, folder, options.checkout.resolve()))
                for name in options.servers
            ]
            leave_first_core()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(compare(servers, members, options.rounds, deliveries, options.in_flight))


if __name__ == "__main__":
    main()
