"""Until docs/haproxy.cfg is here."""

import shutil
import socket
import subprocess
from pathlib import Path

from tests.redis_server import free_port

CONFIG = """
global
    stats socket {stats} level admin
    maxconn 4000
defaults
    mode http
    timeout connect 2s
    timeout client 75s
    timeout server 75s
    timeout tunnel 1h
    timeout http-keep-alive 5s
    option redispatch
    retries 3
frontend chat
    bind 127.0.0.1:{port}
    default_backend instances
backend instances
    balance leastconn
    option httpchk GET /readyz
    cookie instance insert indirect nocache
    option forwardfor
    default-server check inter 500ms fall 2 rise 1
    option allbackups
{servers}
"""


class Haproxy:
    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.port = free_port()
        self._config = folder / "haproxy.cfg"
        servers = "\n".join(
            f"    server i{number} 127.0.0.1:{port} cookie i{number}"
            for number, port in enumerate(ports)
        )
        # Where none is ready (without Redis, say), any is better than nothing.
        servers += "".join(
            f"\n    server any{number} 127.0.0.1:{port} backup no-check cookie any{number}"
            for number, port in enumerate(ports)
        )
        self._config.write_text(
            CONFIG.format(port=self.port, stats=folder / "haproxy.sock", servers=servers)
        )
        self._log = folder / "haproxy.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *more: str) -> None:
        program = shutil.which("haproxy")
        assert program
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [program, "-db", "-f", self._config, *more], stdout=log, stderr=log
            )

    def reload(self) -> None:
        old = self._child
        assert old is not None
        self.start("-sf", str(old.pid))

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def up(self) -> int:
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(self._config.with_suffix(".sock")))
                peer.sendall(b"show stat\n")
                answer = b"".join(iter(lambda: peer.recv(65536), b""))
        except OSError:
            return 0
        rows = [row.split(b",") for row in answer.splitlines()]
        return sum(
            1
            for row in rows
            if row[0] == b"instances" and row[1] != b"BACKEND" and row[17] == b"UP"
        )
