"""The disk is full (a small tmpfs, which takes root to mount)."""

import asyncio
import errno
from pathlib import Path

from tests.faults.injected.fault import Expectation, Fault
from tests.faults.scene import Alone

FULL = "database or disk is full"
"""What SQLite says. (Some messages still find their place in what it has of the disk already.)"""
BLOCK = bytes(65_536)


class DiskFull(Fault):
    """Nothing more can be written beside SQLite's file, until there is room again."""

    name = "disk-full"
    lasts = 4.0
    stage = Alone
    expected = Expectation(acks=False)

    @property
    def _filler(self) -> Path:
        assert isinstance(self.scene, Alone)
        return self.scene.disk / "filler"

    _said = 0

    async def ready(self) -> None:
        self._said = self._refused()

    async def inject(self) -> None:
        await asyncio.to_thread(self._fill)

    async def heal(self) -> None:
        self._filler.unlink()

    async def evidence(self) -> str:
        times = self._refused() - self._said
        return f"{times} transactions found no room" if times else ""

    def _refused(self) -> int:
        return self.scene.instances[0].output().count(FULL)

    def _fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            for size in (len(BLOCK), 4096, 1):
                try:
                    while True:
                        filler.write(BLOCK[:size])
                except OSError as failure:
                    if failure.errno != errno.ENOSPC:
                        raise
