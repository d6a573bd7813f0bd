"""CPU and memory of a process of this machine, from /proc."""

import os
from pathlib import Path

from chatserver.loadtest.errors import LoadError

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Process:
    """A running process. Raises `LoadError` with code `no_process` once it is gone."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._folder = Path("/proc") / str(pid)
        self.cpu_seconds()

    def cpu_seconds(self) -> float:
        """User and system time of all its threads, running and ended.

        To the nanosecond where the kernel keeps that and no thread ended, else in ticks (10 ms).
        """
        fields = self._read("stat").rsplit(")", 1)[1].split()
        ticks = (int(fields[11]) + int(fields[12])) / TICK
        try:
            threads = [
                int((thread / "schedstat").read_text().split()[0])
                for thread in (self._folder / "task").iterdir()
            ]
        except OSError:
            return ticks
        # Threads that ended are in the process's ticks alone.
        precise = sum(threads) / 1e9
        return precise if abs(precise - ticks) < (len(threads) + 2) * 2 / TICK else ticks

    def rss_bytes(self) -> int:
        """Resident memory, shared pages included."""
        return int(self._read("statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text()
        except OSError:
            raise LoadError(
                "no_process", f"there is no process {self.pid} on this machine to look at"
            ) from None
