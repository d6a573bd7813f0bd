"""How long acks take before, while and after Redis is frozen.

    python -m tests.faults.freeze [--seconds 10]

Clients of three instances send at fixed times, whether earlier messages were acked or not. Prints a
table; exit status 1 where 99 of 100 acks took noticeably longer while Redis stood still.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from chatserver.client import ChatClient, ChatSession
from tests.faults.scene import Scene

CLIENTS, MEMBERS = 30, 3
EVERY_SECONDS = 0.2
WARM_SECONDS = 5.0
NOISE_SECONDS = 0.010
"""By which the 99th percentile may differ from one phase to the next on a shared machine."""
PHASES = ("before", "frozen", "after")


class Senders:
    """Members of sessions that are spread over the instances; `acks` are (sent at, seconds)."""

    def __init__(self, sessions: Sequence[ChatSession]) -> None:
        self.acks: list[tuple[float, float]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._tasks = [
            asyncio.create_task(self._keep_sending(session, number / len(sessions)))
            for number, session in enumerate(sessions)
        ]

    async def stop(self) -> None:
        """Returns once all that was sent is acked."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._sending)

    async def _keep_sending(self, session: ChatSession, phase: float) -> None:
        due = time.monotonic() + phase * EVERY_SECONDS
        while True:
            await asyncio.sleep(due - time.monotonic())
            task = asyncio.create_task(self._send(session, due))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            due += EVERY_SECONDS

    async def _send(self, session: ChatSession, due: float) -> None:
        await session.send("How long does this take?")
        self.acks.append((due, time.monotonic() - due))


async def measure(scene: Scene, seconds: float) -> dict[str, list[float]]:
    """Sorted times of acks by phase."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(ChatClient(scene.url, name=f"Client {number}"))
            for number in range(CLIENTS)
        ]
        sessions = []
        for first in range(0, CLIENTS, MEMBERS):
            owner, *others = clients[first : first + MEMBERS]
            made = await owner.create_session(visibility="link", bot=None)
            sessions += [made, *[await other.join(made.id) for other in others]]
        senders = Senders(sessions)
        await asyncio.sleep(WARM_SECONDS)
        starts = [time.monotonic()]
        await asyncio.sleep(seconds)
        scene.redis.freeze()
        starts.append(time.monotonic())
        await asyncio.sleep(seconds)
        scene.redis.thaw()
        starts.append(time.monotonic())
        await asyncio.sleep(seconds)
        await senders.stop()
    return {
        phase: sorted(took for sent, took in senders.acks if start <= sent < start + seconds)
        for phase, start in zip(PHASES, starts, strict=True)
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(times: dict[str, list[float]]) -> str:
    """In Markdown."""
    lines = ["| Redis | acks | p50 | p99 | longest |", "| --- | ---: | ---: | ---: | ---: |"]
    for phase, ordered in times.items():
        shown = [1000 * quantile(ordered, share) for share in (0.5, 0.99, 1.0)]
        figures = " | ".join(f"{each:.1f} ms" for each in shown)
        lines.append(f"| {phase} | {len(ordered):,} | {figures} |")
    return "\n".join(lines)


async def run(seconds: float) -> dict[str, list[float]]:
    folder = Path(tempfile.mkdtemp(prefix="freeze-"))
    try:
        async with Scene(folder) as scene:
            return await measure(scene, seconds)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.freeze")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    times = asyncio.run(run(parser.parse_args().seconds))
    print(table(times))
    usual = max(quantile(times[phase], 0.99) for phase in ("before", "after"))
    if quantile(times["frozen"], 0.99) > usual + NOISE_SECONDS:
        sys.exit("acks took longer while Redis was frozen")


if __name__ == "__main__":
    main()
