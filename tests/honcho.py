"""The Procfile as `honcho start` runs it: a whole system on one machine."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.forked import ROOT
from tests.processes import environment
from tests.redis_server import free_port
from tests.servers import FAST

START_SECONDS = 60.0
STOP_SECONDS = 30.0


class Honcho:
    """Runs between `start` and `stop`, in a folder of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **settings: Any) -> None:
        self._folder = folder
        self._log = folder / "honcho.log"
        self._port = first_port()
        ours = {key: value for key, value in FAST.items() if key not in ("host", "port")}
        self._environment = {
            **environment(**{**ours, **settings}),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORT": str(self._port),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        self._child: subprocess.Popen[bytes] | None = None
        (folder / "docs").mkdir()
        for name in ("Procfile", "docs/keep.sh"):
            shutil.copy(ROOT / name, folder / name)

    def start(self, *, web: int, worker: int) -> list[int]:
        """Returns the ports of the instances once everybody is ready."""
        command = [sys.executable, "-m", "honcho", "start", "-c", f"web={web},worker={worker}"]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        self.says("chatserver is ready", web)
        self.says("chatserver worker is ready", worker)
        self.says("is up to date", 1)
        return [self._port + number for number in range(web)]

    def says(self, what: str, times: int = 1, *, within: float = START_SECONDS) -> None:
        """Waits until the processes together have said it so often."""
        assert self._child is not None, "not started"
        deadline = time.monotonic() + within
        while self.output().count(what) < times:
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"not said {times} times: {what}\n{self.output()}")
            time.sleep(0.05)

    def output(self) -> str:
        return self._log.read_text()

    def pid(self, name: str) -> int:
        """Of the program itself, below the shells: `web.1`, `worker.2`…"""
        started = re.findall(rf"{re.escape(name)} started \(pid=(\d+)\)", self.output())
        youngest = int(started[-1])
        while children := _children(youngest):
            youngest = children[0]
        return youngest

    def stop(self) -> int:
        """Ctrl-C on a terminal. Returns the exit code."""
        assert self._child is not None, "not started"
        self._child.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Waits for its end. Returns the exit code."""
        assert self._child is not None, "not started"
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            raise AssertionError(f"did not end:\n{self.output()}") from None


def first_port() -> int:
    """Of those that honcho hands out; below those of the system, which gives them to anybody."""
    return 10_000 + free_port() % 10_000


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
