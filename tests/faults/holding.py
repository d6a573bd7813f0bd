"""What servers hold: it must go back to what it was when nobody was there."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout

from tests.faults.metered import samples
from tests.faults.scene import Scene
from tests.processes import ServerProcess

PATIENCE_SECONDS = 45.0
"""Polls that nobody fetches, channels nobody follows and idle connections are kept for a while."""
POLL_SECONDS = 0.2
POOL = 10 + 5
"""Connections that a process may keep to PostgreSQL: its pool, and those that append."""
SQLITE_FILES = 3 * (1 + 2) + 1
"""Files that SQLite may keep open: three for the writer and each reader, and the lock."""
GAUGES = {
    "connections": "connections",
    "rooms": "rooms",
    "bus_channels": "subscriptions",
    "tasks": "tasks",
    "store_pending": "writes",
}
Held = Mapping[str, float]


class Unanswered(Exception):
    """A server does not say what it holds."""


async def at_rest(scene: Scene, before: Held | None = None) -> Held:
    """What every server holds now; with `before`, once that is no more than then (or never).

    Raises `Unanswered` where one of them has not said it for long.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        late = asyncio.get_running_loop().time() > deadline
        try:
            held = await _held(scene)
        except Unanswered:
            if late:
                raise
        else:
            if before is None or late or all(n <= before.get(name, 0) for name, n in held.items()):
                return held
        await asyncio.sleep(POLL_SECONDS)


async def _held(scene: Scene) -> Held:
    held: dict[str, float] = {}
    async with ClientSession(timeout=ClientTimeout(total=5)) as http:
        for name, server in _named(scene):
            counted = await samples(http, server.url)
            if not counted:
                raise Unanswered(name)  # else it would seem to hold nothing
            files = _files(server.pid, scene)
            gauges = {what: counted[gauge] for gauge, what in GAUGES.items()}
            held |= {f"{name}: {what}": n for what, n in (gauges | files).items()}
    return held


def _named(scene: Scene) -> Iterator[tuple[str, ServerProcess]]:
    for kind, servers in (("instance", scene.instances), ("worker", scene.workers)):
        for number, server in enumerate(servers, start=1):
            yield f"{kind} {number}", server


def _files(pid: int, scene: Scene) -> dict[str, float]:
    """Open files of a process; those by which it reaches the database may come and go."""
    targets = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            targets.append(str(descriptor.readlink()))
    sockets = {each[8:-1] for each in targets if each.startswith("socket:[")}
    to_database = sum(
        inode in sockets and port == scene.database_port for inode, port in _connections(pid)
    )
    of_sqlite = sum("/chat.db" in each for each in targets)
    return {
        "open files": len(targets) - to_database - of_sqlite,
        "database connections beyond the pool": max(0, to_database - POOL),
        "database files beyond those of its threads": max(0, of_sqlite - SQLITE_FILES),
    }


def _connections(pid: int) -> Sequence[tuple[str, int]]:
    """Inode and remote port of each TCP connection that the process can see."""
    rows = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    fields = [row.split() for row in rows]
    return [(row[9], int(row[2].rpartition(":")[2], 16)) for row in fields]
