"""A real nginx with the configuration that we document."""

import getpass
import re
import signal

from tests.balancer import DOCS, Balancer


class Nginx(Balancer):
    program = "nginx"

    def reload(self) -> None:
        assert self._child is not None, "not started"
        self._child.send_signal(signal.SIGHUP)

    def _command(self) -> list[str]:
        configuration = self._folder / "nginx.conf"
        configuration.write_text(self._adapted((DOCS / "nginx.conf").read_text()))
        for folder in ("lib", "logs"):
            (self._folder / folder).mkdir(exist_ok=True)
        error_log = str(self._folder / "logs" / "error.log")
        where = ["-p", str(self._folder), "-c", str(configuration), "-e", error_log]
        return [self.executable(), *where, "-g", "daemon off;"]

    def log(self) -> str:
        logs = [self._folder / "logs" / f"{kind}.log" for kind in ("error", "access")]
        return super().log() + "".join(log.read_text() for log in logs if log.exists())

    def _adapted(self, text: str) -> str:
        """Addresses, folders, the user and the number of processes, and nothing else."""
        for number, address in enumerate(self._addresses, 11):
            text, times = re.subn(rf"\b10\.0\.0\.{number}:8000", address, text)
            assert times == 2, "in the group, and by itself"
        for written, here in {
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "user www-data;": f"user {getpass.getuser()};",
            "worker_processes auto;": "worker_processes 2;",
            "worker_connections 32768;": "worker_connections 2048;",
            "/run/nginx.pid": f"{self._folder}/pid",
            "/var/log/nginx/": f"{self._folder}/logs/",
            "/var/lib/nginx/": f"{self._folder}/lib/",
        }.items():
            assert written in text, f"{written} is no longer in docs/nginx.conf"
            text = text.replace(written, here)
        return text
