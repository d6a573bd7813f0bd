"""What the load balancers of the tests have in common: a real program on a free port."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.redis_server import free_port

START_SECONDS = 10.0
SBIN = "/usr/sbin"
"""Where Debian has the programs; it is on the PATH of root alone."""
NAMES = ("web1", "web2", "web3")
"""What the configurations call their instances."""
DOCS = Path(__file__).parents[1] / "docs"

Address = tuple[str, int]


class Balancer:
    """Answers at `url` between `start` and `stop`; on the same port again after each start.

    Where there are fewer instances than names, the first has the names that are left, too.
    """

    program: str

    def __init__(self, instances: Sequence[Address]) -> None:
        self.port = free_port()
        spare = [instances[0]] * (len(NAMES) - len(instances))
        self._addresses = [f"{host}:{port}" for host, port in [*instances, *spare]]
        # Sockets need short paths, and some of the programs come back as another user.
        self._folder = Path(tempfile.mkdtemp(prefix="balancer-"))
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._child = subprocess.Popen(
                self._command(), stdout=log, stderr=log, env=self._environment()
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.program} did not start:\n{self.log()}")
            time.sleep(0.01)

    def executable(self) -> str:
        found = shutil.which(self.program, path=f"{os.environ['PATH']}:{SBIN}")
        assert found is not None, f"{self.program} is not installed; see tests/run"
        return found

    def reload(self) -> None:
        """New processes serve what comes from now on; old ones end with their connections."""
        raise NotImplementedError

    def kill(self) -> None:
        """Everybody who is connected loses that."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(self._at_once)
            self._child.wait(START_SECONDS)

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    _at_once = signal.SIGTERM

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str] | None:
        return None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
