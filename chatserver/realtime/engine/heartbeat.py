"""Pings, and what happens to those who do not answer. (Engine.IO protocol v4, "Heartbeat".)"""

from collections.abc import Callable

from chatserver.realtime.engine.connection import Connection
from chatserver.realtime.engine.deadlines import Deadlines
from chatserver.realtime.engine.outgoing import PING


class Heartbeat:
    """A ping `interval` seconds after the start and after each answer; then `timeout` to answer.

    Both are counted from the start or the answer, so that a late timer does not add up.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        interval: float,
        timeout: float,
        lost: Callable[[Connection], object],
    ) -> None:
        self._quiet = deadlines.queue(interval, self._ping)
        self._unheard = deadlines.queue(interval + timeout, self._silent)
        self._lost = lost

    def start(self, connection: Connection) -> None:
        self._quiet.add(connection)
        self._unheard.add(connection)

    def heard(self, connection: Connection) -> None:
        """A PONG; one that nobody asked for means nothing."""
        if connection not in self._quiet:
            self.start(connection)

    def stop(self, connection: Connection) -> None:
        self._quiet.discard(connection)
        self._unheard.discard(connection)

    def _ping(self, connection: Connection) -> None:
        connection.send(PING)

    def _silent(self, connection: Connection) -> None:
        # Its answer may have come already: we are busy with what it sent before. And the client
        # would take our own silence for the end.
        if connection.busy:
            self._ping(connection)
            self.start(connection)
        else:
            self._lost(connection)
