"""A start that waits says what for, and ends when it is told to."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import pytest

from chatserver.store.migrate import MIGRATING
from tests.forked import Forked
from tests.postgres import PostgresServer
from tests.processes import STOP_SECONDS, environment
from tests.waiting import eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_start_that_waits_for_a_migration_says_so_and_ends_at_a_signal(
    postgres: PostgresServer, tmp_path: Path, number: signal.Signals
) -> None:
    url = await postgres.empty()
    other = await asyncpg.connect(url)
    await other.execute("SELECT pg_advisory_lock($1)", MIGRATING)
    log = tmp_path / "log"
    server = started(url, log)
    try:
        await eventually(lambda: "waiting for another migration" in log.read_text(), within=60)
        server.send_signal(number)
        assert await asyncio.to_thread(server.wait, STOP_SECONDS) == -number
    finally:
        server.kill()
        await asyncio.to_thread(server.wait)
        await other.close()


def started(url: str, log: Path) -> Forked:
    with log.open("w") as stderr:
        return Forked(
            ["chatserver", "serve", "--port", "0"],
            cwd=log.parent,
            env=environment(database_url=url),
            stderr=stderr.fileno(),
        )
