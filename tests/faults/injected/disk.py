"""The disk is full (a small tmpfs, which takes root to mount)."""

import asyncio
import errno
from pathlib import Path

from tests.faults.injected.fault import Expectation, Fault
from tests.faults.scene import Alone

ROOM_LEFT = 100
"""Messages that may still find their place in what SQLite has of the disk already."""
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

    async def inject(self) -> None:
        await asyncio.to_thread(self._fill)

    async def heal(self) -> None:
        self._filler.unlink()

    async def evidence(self) -> str:
        few = self.acked_meanwhile < ROOM_LEFT
        return f"{self.acked_meanwhile} acked meanwhile" if few else ""

    def _fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            for size in (len(BLOCK), 4096, 1):
                try:
                    while True:
                        filler.write(BLOCK[:size])
                except OSError as failure:
                    if failure.errno != errno.ENOSPC:
                        raise
