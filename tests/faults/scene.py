"""A whole system on one machine: every part is a process, on a port of its own."""

import asyncio
import secrets
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncpg

from tests.declared import bots_file
from tests.faults.double import Double
from tests.faults.guard import Guard
from tests.gate import Gate
from tests.haproxy import Haproxy
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, WorkerProcess
from tests.redis_server import RedisServer
from tests.waiting import eventually

INSTANCES, WORKERS = 3, 2
REPLIES = 2
"""So few at once that everyone who writes replies is easily kept busy."""
READY_SECONDS = 60.0
PATIENT: dict[str, Any] = {
    "queued_replies": 100_000,
    "queued_replies_per_session": 10_000,
    "queued_replies_per_participant": 10_000,
    # The token of an hour has run out where the clock is an hour ahead.
    "token_seconds": 86_400,
    # What connections leave behind is gone soon enough to be counted, and silence noticed.
    "replies_concurrency": REPLIES,
    "http_idle_seconds": 5.0,
    "ping_interval_seconds": 2.0,
    "ping_timeout_seconds": 3.0,
    "drain_notice_seconds": 2.0,
    "trusted_proxies": "127.0.0.1",
}
"""No bound is reached by so many clients at once."""


class Scene:
    """HAProxy before `instances`, `workers` beside them, all on one PostgreSQL and one Redis.

    The last instance reaches Redis through `gate`. Everything ends with the scene, or with the
    process that made it.
    """

    bot = "gpt"

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self._settings = {**PATIENT, **settings}
        self.instances: list[ServerProcess] = []
        self.workers: list[ServerProcess] = []
        self.database_url = ""
        self.guard = Guard()
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> "Scene":
        try:
            self.stack.enter_context(self.guard)
            await self._start()
            self.guarded()
        except BaseException:
            await self.stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stack.aclose()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.balancer.url

    @property
    def database_port(self) -> int:
        return self.postgres.port

    @property
    def servers(self) -> list[ServerProcess]:
        return [*self.instances, *self.workers]

    @property
    def most_replies(self) -> int:
        """That can be under way at once."""
        return REPLIES * len(self.workers)

    # --- what faults do --------------------------------------------------------------------------

    async def begin(self, *servers: ServerProcess) -> None:
        """Starts them (again), side by side; returns once they are ready."""
        await asyncio.gather(*map(self._keep_starting, servers))
        self.guarded()

    async def _keep_starting(self, server: ServerProcess) -> None:
        """As a supervisor does: one that begins while Redis or PostgreSQL is away gives up."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while True:
            try:
                await asyncio.to_thread(server.start)
            except AssertionError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
            else:
                return

    async def end(self, server: ServerProcess) -> None:
        """In order."""
        code = await asyncio.to_thread(server.terminate)
        assert code == 0, f"exit code {code}:\n{server.output()}"

    async def balanced(self) -> None:
        """Returns once every instance gets its share of new connections."""
        await eventually(
            lambda: list(self.balancer.states().values()) == ["UP"] * len(self.instances),
            within=READY_SECONDS,
            what="the balancer finds every instance ready",
        )

    async def replies(self) -> tuple[int, int]:
        """How many are being written, and how many wait."""
        states = [f"SELECT count(*) FROM reply WHERE state = '{s}'" for s in ("running", "queued")]
        running, waiting = [await self._number(query) for query in states]
        return running, waiting

    async def takeovers(self) -> int:
        """Of replies whose worker seemed dead, so far."""
        return await self._number("SELECT coalesce(sum(takeovers), 0) FROM reply")

    def guarded(self) -> None:
        """To be called after each start of a process."""
        self.guard.watch(self._pids())

    # --- its parts -------------------------------------------------------------------------------

    def _pids(self) -> list[int]:
        servers = [server.pid for server in self.servers]
        return [*servers, self.redis.pid, self.postgres.pid, self.model.pid, self.balancer.pid]

    async def _number(self, query: str) -> int:
        connection = await asyncpg.connect(self.database_url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def _start(self) -> None:
        self.redis = RedisServer(self.folder)
        self.stack.callback(self.redis.kill)
        self.redis.start()
        self.postgres = PostgresServer()
        self.stack.callback(self.postgres.remove)
        await asyncio.to_thread(self.postgres.start)
        self.database_url = await self.postgres.fresh()
        self.model = Double(self.folder)
        self.stack.callback(self.model.stop)
        await asyncio.to_thread(self.model.start)
        self.gate = Gate(self.redis.port)
        await self.gate.start()
        self.stack.push_async_callback(self.gate.stop)
        await self._start_servers()
        ports = [int(one.url.rpartition(":")[2]) for one in self.instances]
        self.balancer = Haproxy([("127.0.0.1", port) for port in ports])
        self.stack.callback(self.balancer.stop)
        await asyncio.to_thread(self.balancer.start)
        await self.balanced()

    async def _start_servers(self) -> None:
        shared: dict[str, Any] = {
            **self._settings,
            "database_url": self.database_url,
            "redis_prefix": f"rig-{secrets.token_hex(4)}",
            "bots_file": bots_file(self.folder, self.model.base_url, key_variable=""),
            "default_bot": self.bot,
        }
        for number in range(1, INSTANCES + 1):
            redis = f"redis://127.0.0.1:{self.gate.port}" if number == INSTANCES else self.redis.url
            self.instances.append(
                ServerProcess(
                    self.folder / "unused.db",
                    self.folder / f"instance-{number}.log",
                    instance_name=f"web{number}",
                    **{**shared, "redis_url": redis, "replies_concurrency": 0},
                )
            )
        for number in range(1, WORKERS + 1):
            self.workers.append(
                WorkerProcess(
                    self.folder / "unused.db",
                    self.folder / f"worker-{number}.log",
                    **{**shared, "redis_url": self.redis.url, "worker_port": 0},
                )
            )
        for server in self.servers:
            self.stack.callback(server.kill)
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in self.servers))


class Alone(Scene):
    """One instance with its SQLite file on a disk of a few megabytes."""

    bot = "echo"
    disk_bytes = 16 * 2**20

    @property
    def url(self) -> str:
        return self.instances[0].url

    @property
    def database_port(self) -> int:
        return 0

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    async def balanced(self) -> None:
        """There is no balancer."""

    def _pids(self) -> list[int]:
        return [self.instances[0].pid]

    async def _number(self, query: str) -> int:
        raise NotImplementedError

    async def takeovers(self) -> int:
        return 0

    async def _start(self) -> None:
        self.disk.mkdir()
        mount = ("mount", "-t", "tmpfs", "-o", f"size={self.disk_bytes}", "tmpfs", self.disk)
        await asyncio.to_thread(subprocess.run, mount, check=True)
        self.stack.callback(subprocess.run, ("umount", self.disk), check=True)
        server = ServerProcess(self.disk / "chat.db", self.folder / "alone.log", **self._settings)
        self.stack.callback(server.kill)
        self.instances, self.database_url = [server], f"sqlite:///{server.database}"
        await asyncio.to_thread(server.start)
