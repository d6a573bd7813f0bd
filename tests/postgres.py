"""A PostgreSQL server of one's own: a fresh folder, a random port, gone in the end."""

import asyncio
import contextlib
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

from chatserver.loadtest.process import Process
from chatserver.store import schema
from chatserver.store.open import database_at

START_SECONDS = 60.0
PASSWORD = "not-a-secret"
SUPERUSER = "chat"
TEMPLATE = "migrated"
QUICK = ("fsync=off", "full_page_writes=off")
"""What outlives the server's processes is not under test, unless one asks for it."""


def programs() -> Path | None:
    """The folder with `postgres` and `initdb`; Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((each.parent for each in folders), key=_version, default=None)


def _version(folder: Path) -> int:
    return int(re.sub(r"\D", "", folder.parent.name) or 0)


class PostgresServer:
    """Runs between `start` and `remove`. Anybody who connects by TCP must know the password.

    PostgreSQL refuses to run as root; then it is run as the user that its package makes.
    """

    def __init__(self, *configured: str) -> None:
        found = programs()
        assert found is not None, "PostgreSQL is not installed (apt-get install postgresql)"
        self._programs = found
        self._configured = configured
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._data = self._folder / "data"
        self._child: subprocess.Popen[bytes] | None = None
        self._migrated = False
        self._used: list[str] = []
        self._numbers = itertools.count(1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns once it takes connections. Again after `kill`: on the same data and port."""
        if not self._data.exists():
            self._init()
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "max_connections=100"]
        options += [f"unix_socket_directories={self._folder}", *self._configured]
        arguments = [part for option in options for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._child = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *arguments],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        self._wait_until_ready()

    def kill(self) -> None:
        """kill -9 of the server with all its processes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends all connections at once, and the server in order."""
        self._end(signal.SIGINT)

    def halt(self) -> None:
        """Ends at once and not in order ("immediate shutdown"); recovers from its log later."""
        self._end(signal.SIGQUIT)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator["PostgresServer"]:
        try:
            self.start()
            yield self
        finally:
            self.remove()

    def cpu_seconds(self) -> float:
        """Of the server and its processes that still run."""
        return sum(Process(pid).cpu_seconds() for pid in self._processes())

    async def fresh(self) -> str:
        """The URL of a database with the newest schema and without a row."""
        if self._used:
            return self._used.pop()
        if not self._migrated:
            await self.execute(f"CREATE DATABASE {TEMPLATE}")
            await asyncio.to_thread(database_at(self.url(TEMPLATE)).migrate)
            self._migrated = True
        return await self._created(TEMPLATE)

    async def give_back(self, url: str) -> None:
        """Nobody needs what a `fresh` one holds. (Making one anew would take ten times as long.)"""
        tables = ", ".join(table.name for table in schema.metadata.sorted_tables)
        await self.execute(f"TRUNCATE {tables}", database=url.rpartition("/")[2])
        self._used.append(url)

    async def empty(self) -> str:
        """The URL of a new database without a table."""
        return await self._created("template0")

    async def _created(self, template: str) -> str:
        name = f"chat_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def execute(self, statement: str, *, database: str = "postgres") -> Any:
        """The rows of a statement, run on a connection of its own."""
        connection = await asyncpg.connect(self.url(database))
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    def _init(self) -> None:
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [
                *(self._programs / "initdb", "-D", self._data, "--no-sync", "-E", "UTF8"),
                *("--no-locale", "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", secret),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {
            "user": self._user.pw_uid,
            "group": self._user.pw_gid,
            "extra_groups": [],
            "cwd": self._folder,
            "env": {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._child is not None
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not get ready:\n{self.log()}")
            time.sleep(0.02)  # it tells nobody when it is ready

    def _end(self, number: signal.Signals) -> None:
        if self._child is None:
            return
        if number is signal.SIGKILL:
            # The server's children would else go on until they notice.
            self._signal(number)
        else:
            self._child.send_signal(number)
        self._child.wait(START_SECONDS)
        self._child = None

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _processes(self) -> list[int]:
        """The server, first, and its children."""
        if self._child is None or self._child.poll() is not None:
            return []
        children = Path(f"/proc/{self._child.pid}/task/{self._child.pid}/children").read_text()
        return [self._child.pid, *map(int, children.split())]
