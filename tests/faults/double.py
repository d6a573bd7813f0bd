"""The model of the rig: an endpoint in a process of its own, which now and then fails.

    python -m tests.faults.double

prints its base URL and answers until it is killed. How it answers follows from the prompt alone.
"""

import asyncio
import re
import subprocess
import sys
import zlib
from pathlib import Path

from chatserver.testing import Behaviour, FakeModel, ModelRequest, Speak, broken_off, server_error
from tests.forked import Forked
from tests.processes import environment

PIECES = tuple(f"piece {number} " for number in range(40))
SHORT, PACE, SLOWLY = 8, 0.02, 0.1
AT_LENGTH = "Tell me at length."
URL = re.compile(r"http://\S+")


def behave(asked: ModelRequest) -> Behaviour:
    """Of 20 prompts two get a longer answer, one breaks off, one is refused; by their text."""
    text = str(asked.body["messages"][-1]["content"])
    if AT_LENGTH in text:
        return Speak(PIECES, pace=SLOWLY)
    match zlib.crc32(text.encode()) % 20:
        case 0:
            return server_error()
        case 1:
            return broken_off()
        case 2 | 3:
            return Speak(PIECES, pace=PACE)
    return Speak(PIECES[:SHORT], pace=PACE)


async def main() -> None:
    async with FakeModel(default=behave) as model:
        # How its owner learns the port.
        sys.stdout.write(f"{model.base_url}\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(1)
            # It would grow, and nobody asks for it.
            model.requests.clear()


class Double:
    """That process."""

    def __init__(self, folder: Path) -> None:
        self.base_url = ""
        self._log = folder / "model.log"
        self._child: Forked | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    def start(self) -> None:
        with self._log.open("a") as log:
            self._child = Forked(
                ["tests.faults.double"],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=log.fileno(),
            )
        assert self._child.stdout is not None
        found = URL.search(self._child.stdout.readline())
        assert found is not None, self._log.read_text()
        self.base_url = found[0]

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()


if __name__ == "__main__":
    asyncio.run(main())
