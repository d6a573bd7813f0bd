"""A real HAProxy with the configuration that we document."""

import os
import signal
import socket

from tests.balancer import DOCS, NAMES, Balancer


class Haproxy(Balancer):
    program = "haproxy"

    def reload(self) -> None:
        assert self._child is not None, "not started"
        self._child.send_signal(signal.SIGUSR2)

    def ask(self, command: str) -> str:
        """The answer to a command of HAProxy's management guide."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self._folder / "admin"))
            peer.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: peer.recv(65_536), b"")).decode()

    def states(self) -> dict[str, str]:
        """What it thinks of each instance: `UP`, `DOWN`…"""
        rows = [line.split(",") for line in self.ask("show stat").splitlines()]
        column = rows[0].index("status")
        return {row[1]: row[column].split(" ")[0] for row in rows if row[1:2] and row[1] in NAMES}

    def _answers(self) -> bool:
        """Its own socket gets its name after the others have begun to listen."""
        try:
            return super()._answers() and bool(self.states())
        except OSError:
            return False

    def _command(self) -> list[str]:
        # A master and its worker, in the foreground, so that it can be told to reload.
        return [self.executable(), "-W", "-db", "-f", str(DOCS / "haproxy.cfg")]

    def _environment(self) -> dict[str, str]:
        instances = {
            f"CHATSERVER_{name.upper()}": address
            for name, address in zip(NAMES, self._addresses, strict=True)
        }
        return {
            **os.environ,
            **instances,
            "BALANCER_BIND": f"127.0.0.1:{self.port}",
            "BALANCER_SOCKET": str(self._folder / "admin"),
            "BALANCER_CONNECTIONS": "2000",
            "BALANCER_UNPRIVILEGED": "1",
        }
