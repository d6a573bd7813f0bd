"""What servers count and hold, over all their lives."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.scene import Scene
from tests.processes import ServerProcess

EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 30.0
POOL = 10 + 4
"""Connections that a process may keep to PostgreSQL: its pool's, and the lanes of appending."""
HELD = {
    "chatserver_connections": "connections",
    "chatserver_rooms": "rooms",
    "chatserver_bus_channels": "subscriptions",
    "chatserver_tasks": "tasks",
    "chatserver_store_pending": "writes",
}


async def samples(http: ClientSession, url: str) -> Counter[str]:
    """By name, summed over labels. Empty where nobody answers."""
    found: Counter[str] = Counter()
    with suppress(ClientError, TimeoutError, OSError):
        async with http.get(f"{url}/metrics") as answer:
            for family in text_string_to_metric_families(await answer.text()):
                for sample in family.samples:
                    found[sample.name] += sample.value  # type: ignore[assignment]
    return found


class Meter:
    """Adds up counters although processes die: what was last seen of each life counts."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lives: dict[int, Counter[str]] = {}
        self._http = ClientSession(timeout=ClientTimeout(total=2))
        self._task = asyncio.create_task(self._run())

    async def total(self) -> Counter[str]:
        """Since the start, up to now."""
        await self._look()
        return sum(self._lives.values(), Counter())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._http.close()

    async def _run(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        await asyncio.gather(*(self._look_at(each) for each in self._scene.instances))

    async def _look_at(self, instance: ServerProcess) -> None:
        pid = instance.pid
        if found := await samples(self._http, instance.url):
            self._lives[pid] = found


async def at_rest(scene: Scene, before: dict[str, float] | None = None) -> dict[str, float]:
    """What every server holds now; with `before`, once that is no more than then (or never)."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    async with ClientSession(timeout=ClientTimeout(total=5)) as http:
        while True:
            held: dict[str, float] = {}
            for number, instance in enumerate(scene.instances, start=1):
                counted = await samples(http, instance.url)
                for name, what in HELD.items():
                    held[f"instance {number}: {what}"] = counted[name]
            for name, server in named(scene):
                held |= {f"{name}: {k}": v for k, v in files(server.pid, scene).items()}
            late = asyncio.get_running_loop().time() > deadline
            if before is None or late or all(v <= before.get(k, 0) for k, v in held.items()):
                return held
            await asyncio.sleep(0.2)


def named(scene: Scene) -> Iterable[tuple[str, ServerProcess]]:
    for kind, servers in (("instance", scene.instances), ("worker", scene.workers)):
        for number, server in enumerate(servers, start=1):
            yield f"{kind} {number}", server


def files(pid: int, scene: Scene) -> dict[str, float]:
    """Open files of a process; a pool may keep its connections to the database."""
    targets = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            targets.append(str(descriptor.readlink()))
    inodes = {each[8:-1] for each in targets if each.startswith("socket:[")}
    to_database = sum(
        1 for inode, port in sockets(pid) if inode in inodes and port == scene.database_port
    )
    return {
        "open files": len(targets) - to_database,
        "database connections beyond the pool": max(0, to_database - POOL),
    }


def sockets(pid: int) -> Sequence[tuple[str, int]]:
    """Inode and remote port of each TCP connection that the process can see."""
    rows = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    fields = [row.split() for row in rows]
    return [(row[9], int(row[2].rpartition(":")[2], 16)) for row in fields]
