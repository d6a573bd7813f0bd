"""The disk is full (a small tmpfs, which takes root to mount)."""

import asyncio
import errno
from pathlib import Path

from tests.faults.injected.fault import Aftermath, Expectation, Fault
from tests.faults.scene import Alone

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

    def bite(self, after: Aftermath) -> str:
        few = all(acked < after.verdict.numbers.acked / 10 for acked in after.acked_meanwhile)
        return f"{after.acked_meanwhile} acked meanwhile" if few else ""

    def _fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            for size in (len(BLOCK), 4096, 1):
                try:
                    while True:
                        filler.write(BLOCK[:size])
                except OSError as failure:
                    if failure.errno != errno.ENOSPC:
                        raise
