"""A copy that kills itself, as `kill -9` would, where its progress is told for the Nth time.

python -m tests.integration.moving.killed SOURCE_URL TARGET_URL N
"""

import asyncio
import os
import signal
import sys

from chatserver.store.migrate import UNFINISHED_COPY
from chatserver.store.moving import run
from chatserver.store.moving.open import source_at, target_at
from chatserver.store.open import database_at
from tests.forked import run_forked
from tests.integration.moving.house import dump
from tests.processes import environment


class Fuse:
    """`run.Progress`."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def resuming(self) -> None: ...
    def starting_over(self) -> None: ...
    def begin(self, step: str, table: str, total: int) -> None:
        self.advance(0)

    def advance(self, rows: int) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def kill_at(source: str, target: str, steps: int) -> None:
    """Leaves an unfinished copy in `target`."""
    command = [__name__, source, target, str(steps)]
    child = run_forked(command, env=environment(), seconds=60)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert UNFINISHED_COPY in dump(target)


async def main(source_url: str, target_url: str, steps: str) -> None:
    run.BATCH_ROWS = 5
    async with (
        source_at(database_at(source_url)) as source,
        target_at(database_at(target_url), source) as target,
    ):
        await run.copy(source, target, Fuse(int(steps)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
