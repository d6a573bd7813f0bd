"""Gathers what one turn of the event loop sends: each connection's packets leave in one write.

A write is a system call, and by far the dearest part of a delivery. A busy room's messages reach
the server many to a turn, and every member gets them together.
"""

import asyncio
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Corked(Protocol):
    def flush(self) -> None: ...


class Cork:
    """Flushes everything that was added during a turn at the beginning of the next."""

    def __init__(self) -> None:
        self._waiting: list[Corked] = []

    def add(self, connection: Corked) -> None:
        """To be called once for each connection and turn; more often does no harm."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(connection)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            try:
                connection.flush()
            except Exception:  # nobody else's packets may be lost with it
                log.exception("flush_crashed")
