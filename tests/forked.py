"""`python -m MODULE` without the time that it takes to import what we are made of.

Each is a fork of a process that has imported it all and done nothing else: a process of its own in
all that matters, with its own files, folder, environment, signals and exit status.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ORDER_BYTES = 1 << 17


class Forked:
    """What `subprocess.Popen` is to a command, as far as tests need it."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        start_new_session: bool = False,
    ) -> None:
        """`arguments` are those of `python -m`. The three files are descriptors.

        Where `stdout` is to be `subprocess.PIPE`, the attribute `stdout` is what can be read of it.
        """
        order = {
            "arguments": list(arguments),
            "env": dict(env),
            "cwd": str(cwd or Path.cwd()),
            "session": start_new_session,
        }
        self.returncode: int | None = None
        self.stdout = None
        ours = []
        files = [stdin, stdout, stderr]
        if stdout == subprocess.PIPE:
            readable, files[1] = os.pipe()
            ours.append(files[1])
            self.stdout = os.fdopen(readable, encoding="utf-8")
        for number, file in enumerate(files):
            if file == subprocess.DEVNULL:
                files[number] = os.open(os.devnull, os.O_RDWR)
                ours.append(files[number])
        try:
            self.pid = _ask(order, files)
        finally:
            for file in ours:
                os.close(file)
        self._ended = os.pidfd_open(self.pid)
        self._reaping = threading.Lock()

    def poll(self) -> int | None:
        """The exit status as `subprocess` has it, or None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired` after so many seconds."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            watched = select.poll()
            watched.register(self._ended, select.POLLIN)
            if not watched.poll(None if seconds is None else seconds * 1000):
                return None
            with self._reaping:
                if self.returncode is None:
                    self.returncode = _ask({"reap": self.pid}, [])
                    os.close(self._ended)
        return self.returncode


def run_forked(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    given: str = "",
    seconds: float,
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`; raises `subprocess.TimeoutExpired`.

    Half a surrogate pair in `given` stands for a byte that is no UTF-8, as in Python's file names.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape") as stdin,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stdout,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stderr,
    ):
        stdin.write(given)
        stdin.flush()
        stdin.seek(0)
        child = Forked(
            arguments,
            env=env,
            cwd=cwd,
            stdin=stdin.fileno(),
            stdout=stdout.fileno(),
            stderr=stderr.fileno(),
        )
        try:
            status = child.wait(seconds)
        finally:
            child.kill()
            child.wait()
        for file in (stdout, stderr):
            file.seek(0)
        return subprocess.CompletedProcess(list(arguments), status, stdout.read(), stderr.read())


_forker: socket.socket | None = None
_asking = threading.Lock()


def _ask(order: Mapping[str, Any], files: Sequence[int]) -> int:
    global _forker
    with _asking:
        if _forker is None:
            _forker = _start()
        socket.send_fds(_forker, [json.dumps(order).encode()], files)
        answer = _forker.recv(64)
    assert answer, "the process that forks has ended"
    return int(answer)


def _start() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        # What ends the tests must not end it before they have ended what they started.
        start_new_session=True,
    )
    theirs.close()
    atexit.register(child.wait)
    atexit.register(ours.close)
    return ours


def main() -> None:
    import tests.servers  # noqa: F401 (this is what takes the time)

    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        order = _serve(channel)
    if order is not None:
        _become(order)


def _serve(channel: socket.socket) -> dict[str, Any] | None:
    """Returns an order in the process that is to carry it out, and None in the end."""
    running: set[int] = set()
    while True:
        message, files, _, _ = socket.recv_fds(channel, ORDER_BYTES, 3)
        if not message:
            break
        order = json.loads(message)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            running.discard(order["reap"])
            channel.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        child = os.fork()
        if child == 0:
            for number, file in enumerate(files):
                os.dup2(file, number)
            os.closerange(3, max(files) + 1)
            return dict(order)
        running.add(child)
        for file in files:
            os.close(file)
        channel.send(str(child).encode())
    for child in running:
        os.kill(child, signal.SIGKILL)
    return None


def _become(order: dict[str, Any]) -> None:
    module, *arguments = order["arguments"]
    if order["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    if "LD_PRELOAD" in order["env"]:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (lives as long as we do)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
