"""`python -m chatserver serve` as a real child process, to be killed and started again.

Synchronous, so that browser tests can use it as well; coroutines call it by `asyncio.to_thread`.
"""

import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any, Protocol

from tests.forked import ROOT, Forked
from tests.servers import FAST, Reachable

START_SECONDS = 90.0
STOP_SECONDS = 30.0
OURS = {
    *("PORT", "DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"),
    *("MODEL_ID", "HUGGINGFACE_API_TOKEN"),
}
"""Variables without our prefix that are settings all the same."""
READY = re.compile(r"https?://[\w.\[\]:-]+")


def environment(**settings: Any) -> dict[str, str]:
    """The environment of a child process: this one's without our variables, and `settings`."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("CHATSERVER_") and key not in OURS
    }
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        **{f"CHATSERVER_{key.upper()}": str(value) for key, value in settings.items()},
    }


class ServerProcess(Reachable):
    """One server on one database and, from its first start on, one port."""

    command = "serve"
    port_setting = "port"

    def __init__(
        self,
        database: Path,
        log: Path,
        *,
        program: Sequence[str] = ("chatserver",),
        variables: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """`program` is the module to run, and what it is given before its command.

        `variables` are more of its environment; they may be changed before each start.
        """
        self.variables = dict(variables or {})
        self.database = database
        self.log = log
        self._program = program
        self.url = ""
        self._settings = {**FAST, "database_url": f"sqlite:///{database}", **settings}
        self._child: Forked | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    def start(self) -> str:
        """Returns the URL once the server says that it is ready. Again on the same port later."""
        # Each start has its own: the output of the one before may end only now.
        ready: Future[str] = Future()
        with self.log.open("a") as log:
            self._child = Forked(
                [*self._program, self.command],
                cwd=self.database.parent,
                env={**environment(**self._settings), **self.variables},
                stdout=subprocess.PIPE,
                stderr=log.fileno(),
            )
        reading = threading.Thread(target=self._read_output, args=[self._child, ready], daemon=True)
        reading.start()
        with suppress(TimeoutError):
            if url := ready.result(START_SECONDS):
                return url
        self.kill()
        raise AssertionError(f"the server did not get ready:\n{self.output()}")

    def kill(self) -> None:
        """kill -9."""
        self._end(SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(SIGTERM)

    def send(self, number: Signals) -> None:
        assert self._child is not None, "not started"
        self._child.send_signal(number)

    def wait(self) -> int:
        """Waits for the process to end by itself; returns the exit code."""
        assert self._child is not None, "not started"
        return self._child.wait(STOP_SECONDS)

    def output(self) -> str:
        """Everything on stdout and stderr so far, over all starts."""
        return self.log.read_text()

    def _end(self, number: Signals) -> int:
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.send_signal(number)
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"did not end on {number.name}:\n{self.output()}") from None

    def _read_output(self, child: Forked, ready: "Future[str]") -> None:
        assert child.stdout is not None
        with self.log.open("a") as log:
            for line in child.stdout:
                log.write(line)
                log.flush()
                if not ready.done() and (found := READY.search(line)):
                    self.url = found[0]
                    self._settings[self.port_setting] = self.url.rpartition(":")[2]
                    ready.set_result(self.url)
        if not ready.done():
            ready.set_result("")


class WorkerProcess(ServerProcess):
    """A worker; at its URL it answers no clients, but machines that watch."""

    command = "worker"
    port_setting = "worker_port"

    def __init__(self, database: Path, log: Path, **settings: Any) -> None:
        super().__init__(database, log, **{"worker_port": 0, **settings})


class StartProcess(Protocol):
    """Starts a server process; blocks until it is ready."""

    def __call__(self, *, database: Path | None = None, **settings: Any) -> ServerProcess: ...
