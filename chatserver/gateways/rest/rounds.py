"""Looking after many streams by one timer: a timer and a task's turn for each cost far more."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LOOK_SECONDS = 2.0


class Watched(Protocol):
    def look(self) -> None:
        """Is to see what it has to do. Quick, and never fails."""
        ...


class Rounds:
    """Looks at each every `seconds`, while there are any."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watching(self, watched: Watched) -> Iterator[None]:
        self._watched.add(watched)
        if self._timer is None:
            self._await_next()
        try:
            yield
        finally:
            self._watched.discard(watched)

    def _look(self) -> None:
        self._timer = None
        for watched in self._watched:
            watched.look()
        if self._watched:
            self._await_next()

    def _await_next(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)
