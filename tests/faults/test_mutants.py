"""The checker finds what is wrong with servers that really break a promise, and only with those."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.broken import (
    ack_before_commit,
    frozen_workers,
    seq_outside_transaction,
    without_cursor,
    without_dedup,
    without_fences,
    without_membership,
    without_recovery,
)
from tests.faults.checker import check
from tests.faults.crowd import Crowd
from tests.faults.findings import Verdict
from tests.faults.history import History
from tests.postgres import PostgresServer
from tests.processes import ServerProcess
from tests.redis_server import RedisServer
from tests.wire import Wire

CLIENTS, SESSIONS = 8, 4
BEFORE, AFTER = 150, 300
"""Messages acked when the fault begins, and at the end."""
FEW_BEFORE, FEW_AFTER = 60, 120
"""Where each takes long."""
SETTLE_SECONDS, BROKEN_SECONDS = 30.0, 4.0
"""How long a server may take until all is at rest. One that is broken may never be."""
BUSY = {"events_burst": 1_000_000, "events_per_second": 1_000_000}

UNBROKEN = ""


class Bench:
    """Where one server, broken or not, is put to the test. The seed is in the folder's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seed = secrets.randbits(32)
        self.history = History(folder / f"history-{self.seed}")
        self.processes: list[ServerProcess] = []

    async def server(self, *broken: str, **settings: Any) -> ServerProcess:
        names = [name for name in broken if name]
        program = ("tests.faults.broken", *names) if names else ("chatserver",)
        number = len(self.processes)
        process = ServerProcess(
            self.folder / "chat.db",
            self.folder / f"{number}.log",
            program=program,
            **{**BUSY, **settings},
        )
        self.processes.append(process)
        await asyncio.to_thread(process.start)
        return process

    @asynccontextmanager
    async def crowd(self, *urls: str, transports: tuple[str, ...]) -> AsyncIterator[Crowd]:
        crowd = Crowd(
            urls,
            self.history,
            seed=self.seed,
            clients=CLIENTS,
            sessions=SESSIONS,
            transports=transports,
        )
        try:
            await crowd.start()
            yield crowd
        finally:
            await crowd.close()

    def verdict(self, database_url: str = "") -> Verdict:
        return check(self.history.folder, database_url or f"sqlite:///{self.folder / 'chat.db'}")

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        self.history.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def assert_found(verdict: Verdict, broken: str, invariant: str, evidence: str = "") -> None:
    """`evidence` is what the checker says of this defect, and of none that only takes long."""
    if broken == UNBROKEN:
        assert verdict.ok, str(verdict)
        assert verdict.numbers.acked >= FEW_AFTER
    else:
        assert invariant in verdict.broken, str(verdict)
        found = verdict.broken[invariant]
        assert any(evidence in each for each in found), str(verdict)


@pytest.mark.parametrize("broken", [UNBROKEN, ack_before_commit.__name__])
async def test_a_server_that_acks_what_it_has_not_stored_is_found_out_by_kill_9(
    bench: Bench, broken: str
) -> None:
    server = await bench.server(broken)
    async with bench.crowd(server.url, transports=("websocket", "polling")) as crowd:
        async with crowd.talking():
            await crowd.reaches(FEW_BEFORE)
            server.kill()
            await asyncio.to_thread(server.start)
            bench.history.mark("heal", "kill")
            await crowd.reaches(FEW_AFTER)
        await crowd.settle(BROKEN_SECONDS if broken else SETTLE_SECONDS)
    verdict = bench.verdict()
    assert_found(verdict, broken, "durability", "was acked as")
    (recovery,) = verdict.recoveries
    assert recovery.clients == CLIENTS


@pytest.mark.parametrize(
    ("broken", "invariant", "evidence"),
    [
        (UNBROKEN, "", ""),
        (without_dedup.__name__, "idempotence", "is stored as"),
        (seq_outside_transaction.__name__, "gaplessness", "missing"),
        (without_recovery.__name__, "convergence", "never seen"),
        (without_membership.__name__, "isolation", "was let into"),
    ],
)
async def test_a_server_that_breaks_a_promise_is_found_out_by_a_cut_cable(
    bench: Bench, broken: str, invariant: str, evidence: str
) -> None:
    server = await bench.server(broken)
    async with (
        Wire(server.url) as wire,
        bench.crowd(wire.url, transports=("websocket", "polling")) as crowd,
    ):
        async with crowd.talking():
            await crowd.reaches(BEFORE)
            wire.cut()
            await wire.mend()
            await crowd.reaches(AFTER)
        await crowd.settle(BROKEN_SECONDS if broken else SETTLE_SECONDS)
    assert_found(bench.verdict(), broken, invariant, evidence)


@pytest.mark.parametrize("broken", [UNBROKEN, without_cursor.__name__])
async def test_instances_that_deliver_what_they_hear_are_found_out_by_what_redis_loses(
    bench: Bench, postgres: PostgresServer, redis: RedisServer, broken: str
) -> None:
    url = await postgres.fresh()
    shared = {"database_url": url, "redis_url": redis.url}
    servers = await asyncio.gather(*[bench.server(broken, **shared) for _ in range(2)])
    urls = [server.url for server in servers]
    async with bench.crowd(*urls, transports=("websocket", "polling")) as crowd:
        async with crowd.talking():
            await crowd.reaches(BEFORE)
            redis.ask("CLIENT KILL TYPE pubsub")
            await crowd.reaches(AFTER)
        await crowd.settle(BROKEN_SECONDS if broken else SETTLE_SECONDS)
    assert_found(bench.verdict(url), broken, "gaplessness", " came ")


@pytest.mark.parametrize("broken", [UNBROKEN, without_fences.__name__])
async def test_a_worker_that_ends_what_was_taken_over_is_found_out_by_a_long_pause(
    bench: Bench, broken: str
) -> None:
    server = await bench.server(frozen_workers.__name__, broken, reply_lease_seconds=1.1)
    async with bench.crowd(server.url, transports=("websocket",)) as crowd:
        async with crowd.talking():
            await crowd.reaches(AFTER)
        await crowd.settle(SETTLE_SECONDS)
        await asyncio.to_thread(server.terminate)  # who is frozen wakes up before
    assert_found(bench.verdict(), broken, "endings")
