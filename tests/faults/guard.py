"""Ends what somebody started, once they are gone, however they went (kill -9 too).

A process of its own that is told whom to end, and does so when its standard input ends.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from types import TracebackType


class Guard:
    """Between its entry and its end it watches over those last named to `watch`."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Guard":
        # A session of its own: what ends the others must not end the guard first.
        self._child = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._child is not None, "not entered"
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()

    def watch(self, pids: Iterable[int]) -> None:
        """These, and no longer those before."""
        assert self._child is not None, "not entered"
        assert self._child.stdin is not None
        print(json.dumps(list(pids)), file=self._child.stdin, flush=True)


def main() -> None:
    pids: list[int] = []
    for line in sys.stdin:
        pids = json.loads(line)
    for pid in pids:
        for number in (signal.SIGCONT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


if __name__ == "__main__":
    main()
