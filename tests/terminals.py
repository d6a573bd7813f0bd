"""A command of ours on a terminal of its own, typed at and read like a person would."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Sequence
from signal import SIGINT, Signals
from typing import Self

from tests.forked import Forked

PATIENCE = 20.0
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78])")


class Terminal:
    """Runs `python -m COMMAND` on a pseudo-terminal; `shown` is what it wrote.

    That is without control sequences.
    """

    def __init__(
        self, command: Sequence[str], env: dict[str, str], *, lines: int = 40, columns: int = 120
    ) -> None:
        self.shown = ""
        self._raw = b""
        self._seen = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = Forked(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # Nobody answers when the program asks this terminal where its cursor is.
            env={**env, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, text: str, within: float = PATIENCE) -> str:
        """Waits until `text` is shown after what was expected last; returns what came before.

        Raises AssertionError after `within` seconds.
        """
        deadline = time.monotonic() + within
        while (found := self.shown.find(text, self._seen)) < 0:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} was not shown, but: {self.shown[self._seen :]!r}")
        before = self.shown[self._seen : found]
        self._seen = found + len(text)
        return before

    @property
    def written(self) -> str:
        """Everything that the program wrote so far, control sequences included."""
        return self._raw.decode(errors="replace")

    def type(self, text: str) -> None:
        """Types `text` and Enter."""
        os.write(self._master, text.encode() + b"\r")

    def press(self, key: bytes) -> None:
        os.write(self._master, key)

    def send(self, number: Signals) -> None:
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """What the terminal makes of Ctrl-C while the program does not read single keys."""
        self._process.send_signal(SIGINT)

    def ended(self, within: float = PATIENCE) -> int:
        """Waits for the program to end; returns its exit code."""
        deadline = time.monotonic() + within
        while self._process.poll() is None and self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65_536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self._raw += chunk
        self.shown = ESCAPES.sub("", self._raw.decode(errors="replace"))
        return bool(chunk)
