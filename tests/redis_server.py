"""A real redis-server, to be frozen, killed and started again."""

import contextlib
import shutil
import socket
import subprocess
import time
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from chatserver.loadtest.process import Process

START_SECONDS = 10.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class RedisServer:
    """Keeps nothing on disk; on the same port after each start."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.socket = folder / f"redis-{self.port}.sock"
        self._folder = folder
        self._options = options
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is not installed; see tests/run"
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]
        what = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(self._folder)]
        log = ["--logfile", str(self._folder / f"redis-{self.port}.log")]
        self._child = subprocess.Popen([program, *where, *what, *log, *self._options])
        deadline = time.monotonic() + START_SECONDS
        while not self.ask("PING").startswith(("+PONG", "-NOAUTH")):
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError("redis-server did not start")
            time.sleep(0.02)

    def ask(self, command: str) -> str:
        """The first line of the answer; empty where there is none."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=2) as peer,
        ):
            peer.sendall(f"{command}\r\n".encode())
            return peer.recv(65_536).decode(errors="replace").partition("\r\n")[0]
        return ""

    def freeze(self) -> None:
        self._signal(SIGSTOP)

    def thaw(self) -> None:
        self._signal(SIGCONT)

    def kill(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(SIGCONT)
            self._child.send_signal(SIGKILL)
            self._child.wait()

    def cpu_seconds(self) -> float:
        assert self._child is not None, "not started"
        return Process(self._child.pid).cpu_seconds()

    def _signal(self, number: int) -> None:
        assert self._child is not None, "not started"
        self._child.send_signal(number)
