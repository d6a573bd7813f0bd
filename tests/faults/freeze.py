"""How long acks take before, while and after Redis is frozen.

    python -m tests.faults.freeze [--seconds 10] [--rate 150]

Members of rooms that span three instances send at fixed times, whether earlier messages were acked
or not. Prints a table; exit status 1 where 99 of 100 acks took noticeably longer while Redis stood
still. `late` is how late the measuring process itself was (p99).
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from chatserver.loadtest import Crowd, CrowdPlan, Load, Measured, Target
from tests.faults.scene import Scene

ROOMS, MEMBERS = 10, 3
WARM_SECONDS = 5.0
NOISE_MS = 10.0
"""By which the 99th percentile may differ from one phase to the next on a shared machine."""
MANY: dict[str, int] = {"events_per_second": 1_000, "events_burst": 1_000}


async def measure(scene: Scene, seconds: float, rate: float) -> dict[str, Measured]:
    """What a load of so many seconds showed in each phase."""
    plan = CrowdPlan(connections=ROOMS * MEMBERS, rooms=ROOMS, members=MEMBERS)
    async with await Crowd.open(Target.parse(scene.url), plan) as crowd:
        await crowd.run(Load(rate=rate, seconds=WARM_SECONDS))
        load = Load(rate=rate, seconds=seconds)
        found = {"before": await crowd.run(load)}
        scene.redis.freeze()
        found["frozen"] = await crowd.run(load)
        scene.redis.thaw()
        found["after"] = await crowd.run(load)
    return found


def table(found: dict[str, Measured]) -> str:
    """In Markdown."""
    lines = [
        "| Redis | acks | p50 | p99 | longest | late | delivered p50 | p99 | longest | lost |",
        f"| --- {'| ---: ' * 9}|",
    ]
    for phase, each in found.items():
        shares = (50, 99, 100)
        times = [
            *(each.acks.milliseconds(share) for share in shares),
            each.lag.milliseconds(99),
            *(each.delivery.milliseconds(share) for share in shares),
        ]
        shown = " | ".join(f"{ms or 0.0:.1f} ms" for ms in times)
        lost = each.expected - each.deliveries + each.unanswered
        lines.append(f"| {phase} | {each.messages:,} | {shown} | {lost} |")
    return "\n".join(lines)


async def run(seconds: float, rate: float) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory(prefix="freeze-") as folder:
        async with Scene(Path(folder), **MANY) as scene:
            return await measure(scene, seconds, rate)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.freeze")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--rate", type=float, default=150.0, help="messages per second")
    options = parser.parse_args()
    found = asyncio.run(run(options.seconds, options.rate))
    print(table(found))
    p99 = {phase: each.acks.milliseconds(99) or 0.0 for phase, each in found.items()}
    if p99["frozen"] > max(p99["before"], p99["after"]) + NOISE_MS:
        sys.exit("acks took longer while Redis was frozen")


if __name__ == "__main__":
    main()
