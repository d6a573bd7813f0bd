"""Connections to PostgreSQL: how they are made, and those that the append path keeps."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

Connect = Callable[[], Awaitable[Any]]

ANSWER_SECONDS = 2.0
"""How much longer than the server's own timeout a silent server is waited for."""

SESSION = """
SELECT
  set_config('synchronous_commit',
    CASE current_setting('synchronous_commit')
      WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
  set_config('statement_timeout', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('idle_in_transaction_session_timeout', $1, false),
  set_config('jit', 'off', false)
"""
"""Durable at commit (G1), whatever the server's default is. Set by a statement and not at start-up,
which a pooler in between would refuse. No statement here is worth compiling."""
PLAN_EACH = "SELECT set_config('plan_cache_mode', 'force_custom_plan', false)"
"""For the append path: a plan made while the tables were empty must not read them through when they
are full, nor one made for two messages serve five hundred."""


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """How much of the server a process takes, and how long it waits for it."""

    connections: int = 10
    """Those of `transact` and `read`; appending has up to `LANES` more of its own."""
    statement_seconds: float = 10.0
    """A statement that takes longer is cancelled; a server that is silent for longer is given up.
    Also how long a frozen instance may hold its locks. 0: no limit, as for the next."""
    lock_seconds: float = 5.0
    patience_seconds: float = 5.0
    """How long a call whose connection was lost is repeated before it fails."""


def connector(dsn: str, limits: PostgresLimits) -> Connect:
    """`dsn` is a libpq URL, with several hosts where wanted. Raises what asyncpg raises."""

    async def connect() -> Any:
        connection = await asyncpg.connect(
            dsn,
            timeout=limits.patience_seconds,
            command_timeout=limits.statement_seconds + ANSWER_SECONDS
            if limits.statement_seconds
            else None,
        )
        try:
            await connection.fetchrow(
                SESSION, _millis(limits.statement_seconds), _millis(limits.lock_seconds)
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    return connect


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))


class KeptConnections:
    """As many as are used at once; one that failed is not kept."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._idle: list[Any] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Any]:
        connection = self._idle.pop() if self._idle else await self._open()
        try:
            yield connection
        except BaseException:
            # Nobody knows what it was in the middle of. The others have been through the same.
            for each in (connection, *self._idle):
                each.terminate()
            self._idle.clear()
            raise
        if not connection.is_closed():
            self._idle.append(connection)

    async def close(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()

    async def _open(self) -> Any:
        connection = await self._connect()
        try:
            await connection.fetchrow(PLAN_EACH)
        except BaseException:
            connection.terminate()
            raise
        return connection
