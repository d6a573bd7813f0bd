"""Durable messages per second with acks, and what one costs the server.

    python -m tests.bench.durable [--database postgres] [--rounds 5] [--messages 20000]

The server runs alone on the first core, the load on another. 50 messages are always on their way
(the next leaves after the ack of the last); rooms have 1, 10 or 100 members. Every message is
committed before its ack: with synchronous=FULL by SQLite, with fsync by a PostgreSQL of its own,
whose processes share the other cores with the load. Each round prints a row; the last row of a room
size holds the medians.

    python -m tests.bench.durable --store [--database postgres]

measures the store alone, in this process: by batch size, what a message costs us and the database.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import uvloop

from chatserver.loadtest import Crowd, CrowdPlan, Load
from tests.bench.rows import Row, emit, loaded, medians
from tests.bench.servers import ROOT, Started, leave_first_core, started
from tests.bench.store import measure_store
from tests.postgres import PostgresServer

IN_FLIGHT = 50
MEMBERS = (1, 10, 100)


async def measure(server: Started, database: str, members: int, rounds: int, messages: int) -> None:
    connections = max(IN_FLIGHT, members)
    plan = CrowdPlan(connections=connections, rooms=connections // members, members=members)
    rows = []
    async with await Crowd.open(server.target, plan) as crowd:
        await crowd.run(Load(in_flight=IN_FLIGHT, messages=IN_FLIGHT * 4))
        for number in range(rounds):
            before = server.process.cpu_seconds()
            measured = await crowd.run(Load(in_flight=IN_FLIGHT, messages=messages))
            cpu = server.process.cpu_seconds() - before
            row: Row = {"bench": "durable", "server": server.name, "database": database}
            row["members"] = members
            rows.append(row | {"round": number} | loaded(measured, cpu))
            emit(rows[-1])
    emit(medians(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--store", action="store_true", help="the store alone, by batch size")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="source of our server")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = {}
        url = f"sqlite:///{folder}/store.db"
        database_cpu: Callable[[], float] = float  # all of it is ours
        if options.database == "postgres":
            postgres = stack.enter_context(PostgresServer().running())
            url, database_cpu = asyncio.run(postgres.fresh()), postgres.cpu_seconds
            settings["DATABASE_URL"] = url
        if options.store:
            asyncio.run(measure_store(url, options.messages, database_cpu))
            return
        server = stack.enter_context(started("ours", folder, checkout, settings))
        leave_first_core()
        for members in MEMBERS:
            messages = options.messages // (1 if members < 100 else 10)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(measure(server, options.database, members, options.rounds, messages))


if __name__ == "__main__":
    main()
