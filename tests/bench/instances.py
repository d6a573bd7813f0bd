"""Durable messages per second on PostgreSQL from 1, 2 and 3 instances, and who is busy with them.

    python -m tests.bench.instances [--instances 1 2 3] [--rounds 5] [--messages 20000]

Instances, PostgreSQL (with fsync), Redis and the load share all cores of the machine, so the rates
are those of the whole; what scales is told by the CPU of each per message. `cores_busy` near the
number of cores says that there was no more to get. Of each instance's rooms, which have one member,
50 messages are on their way, in all of them together as many for any number of instances. Rounds
are interleaved; the last rows hold the medians.
"""

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from chatserver.loadtest import Crowd, CrowdPlan, Load
from chatserver.loadtest.process import Process
from tests.bench.rows import Row, emit, medians
from tests.bench.servers import CORES, Started, started
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

ROOMS = 50


@dataclass(frozen=True, slots=True)
class System:
    instances: list[Started]
    postgres: PostgresServer
    redis: RedisServer

    def cpu(self) -> dict[str, float]:
        """Seconds that each part has used."""
        return {
            "instances": sum(each.process.cpu_seconds() for each in self.instances),
            "postgres": self.postgres.cpu_seconds(),
            "redis": self.redis.cpu_seconds(),
            "load": Process(os.getpid()).cpu_seconds(),
        }


async def compare(system: System, counts: list[int], rounds: int, load: Load) -> None:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        crowds = [
            await stack.enter_async_context(
                await Crowd.open(each.target, CrowdPlan(connections=ROOMS, rooms=ROOMS, members=1))
            )
            for each in system.instances
        ]
        for crowd in crowds:
            await crowd.run(Load(in_flight=ROOMS, messages=ROOMS * 4))
        for number in range(rounds):
            for count in counts:
                row = await measure(system, crowds[:count], load)
                found[count].append(row | {"round": number})
                emit(found[count][-1])
    for rows in found.values():
        emit(medians(rows))


async def measure(system: System, crowds: list[Crowd], load: Load) -> Row:
    parts = len(crowds)
    before, began = system.cpu(), time.monotonic()
    shares = (crowd.run(load.share(part, parts)) for part, crowd in enumerate(crowds))
    measured = await asyncio.gather(*shares)
    seconds = time.monotonic() - began
    used = {part: cpu - before[part] for part, cpu in system.cpu().items()}
    messages = sum(each.messages for each in measured)
    return {
        "bench": "instances",
        "instances": parts,
        "messages": messages,
        "unanswered": sum(each.unanswered + sum(each.errors.values()) for each in measured),
        "messages_per_s": round(messages / seconds),
        **{f"{part}_us_per_message": round(cpu / messages * 1e6) for part, cpu in used.items()},
        "cores_busy": round(sum(used.values()) / seconds, 2),
        "cores": len(CORES),
        "ack_p50_ms": max(each.acks.milliseconds(50) or 0.0 for each in measured),
        "ack_p99_ms": max(each.acks.milliseconds(99) or 0.0 for each in measured),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000, help="of each round")
    parser.add_argument("--in-flight", type=int, default=50)
    options = parser.parse_args()
    load = Load(in_flight=options.in_flight, messages=options.messages)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = RedisServer(folder)
        redis.start()
        stack.callback(redis.kill)
        postgres = stack.enter_context(PostgresServer().running())
        settings = {
            "DATABASE_URL": asyncio.run(postgres.fresh()),
            "REDIS_URL": redis.url,
            "CHATSERVER_REDIS_PREFIX": f"bench-{secrets.token_hex(4)}",
        }
        servers = []
        for number in range(max(options.instances)):
            home = folder / f"{number}"
            home.mkdir()
            instance = started("ours", str(home), settings=settings, cores=CORES)
            servers.append(stack.enter_context(instance))
        system = System(servers, postgres, redis)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(compare(system, options.instances, options.rounds, load))


if __name__ == "__main__":
    main()
