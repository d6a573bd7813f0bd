"""Workers as processes of their own: killed in mid-stream, told to end, short of nothing."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.conftest import Connect
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, WorkerProcess
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.waiting import eventually

TAKEOVER_SECONDS = 10.0
DRAIN_SECONDS = 5.0
WORDS = [f"word-{number}" for number in range(60)]
TEXT = " ".join(WORDS)
"""Longer than a worker lives that is killed while it says this; see `words_per_second`."""


class System:
    """A server that leaves replies to workers, and any number of those."""

    def __init__(self, folder: Path, **shared: Any) -> None:
        self._folder = folder
        self._shared = {"words_per_second": 20, **shared}
        self.server = ServerProcess(
            folder / "unused.db", folder / "server.log", replies_concurrency=0, **self._shared
        )
        self.workers: list[WorkerProcess] = []

    async def start(self, workers: int) -> None:
        await asyncio.to_thread(self.server.start)
        for _ in range(workers):
            await self.add_worker()

    async def add_worker(self) -> WorkerProcess:
        log = self._folder / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess(self._folder / "unused.db", log, **self._shared)
        self.workers.append(worker)
        await asyncio.to_thread(worker.start)
        return worker

    async def busy(self) -> WorkerProcess:
        """The worker that runs a reply."""
        found: list[WorkerProcess] = []

        async def some() -> bool:
            found[:] = [each for each in self.workers if await running(each)]
            return bool(found)

        await eventually(some)
        return found[0]

    def kill(self) -> None:
        for each in (self.server, *self.workers):
            each.kill()


async def running(worker: WorkerProcess) -> int:
    async with ClientSession() as http, http.get(f"{worker.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    (value,) = [line for line in lines if line.startswith("chatserver_replies_running ")]
    return int(float(value.split()[1]))


@pytest.fixture
def system(tmp_path: Path, postgres: PostgresServer) -> Iterator[System]:
    redis = RedisServer(tmp_path)
    redis.start()
    url = asyncio.run(postgres.fresh())
    prefix = f"test-{secrets.token_hex(4)}"
    system = System(tmp_path, database_url=url, redis_url=redis.url, redis_prefix=prefix)
    yield system
    system.kill()
    redis.kill()
    asyncio.run(postgres.give_back(url))


async def asked(connect: Connect, system: System) -> tuple[RawClient, str]:
    """Somebody who hears a reply begin; returns its id."""
    ada = await connect(system.server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    await ada.say(session_id, TEXT)
    started = await ada.told("reply_started", attempt=1)
    await ada.told("reply_delta")
    return ada, started["reply_id"]


def said(client: RawClient, reply_id: str, attempt: int) -> str:
    text = ""
    for delta in client.inbox.all("reply_delta", reply_id=reply_id, attempt=attempt):
        assert delta["offset"] == len(text), delta
        text += delta["text"]
    return text


async def finished(client: RawClient, reply_id: str) -> None:
    """The one answer is in the log, and its last attempt was shown without a hole."""
    message = await client.told("message_created", reply_id=reply_id)
    assert message["data"]["text"] == TEXT
    await client.told("reply_finished", reply_id=reply_id, seq=message["seq"])
    assert said(client, reply_id, 2) == TEXT
    assert len(client.inbox.all("message_created", reply_id=reply_id)) == 1


async def test_another_worker_takes_over_within_ten_seconds_from_one_that_was_killed(
    system: System, connect: Connect
) -> None:
    await system.start(workers=2)
    ada, reply_id = await asked(connect, system)
    (await system.busy()).kill()
    killed = asyncio.get_running_loop().time()
    assert said(ada, reply_id, 1) != TEXT, "it was killed in mid-stream"
    await ada.told("reply_started", reply_id=reply_id, attempt=2, within=20)
    assert asyncio.get_running_loop().time() - killed < TAKEOVER_SECONDS
    await finished(ada, reply_id)


async def test_a_worker_that_is_told_to_end_hands_over_at_once_and_ends_with_0(
    system: System, connect: Connect
) -> None:
    await system.start(workers=2)
    ada, reply_id = await asked(connect, system)
    leaving = await system.busy()
    began = asyncio.get_running_loop().time()
    assert await asyncio.to_thread(leaving.terminate) == 0
    assert asyncio.get_running_loop().time() - began < DRAIN_SECONDS
    await ada.told("reply_started", reply_id=reply_id, attempt=2)
    assert asyncio.get_running_loop().time() - began < DRAIN_SECONDS
    await finished(ada, reply_id)


async def test_prompts_wait_while_no_worker_is_alive(system: System, connect: Connect) -> None:
    await system.start(workers=1)
    (only,) = system.workers
    ada, reply_id = await asked(connect, system)
    assert await asyncio.to_thread(only.terminate) == 0
    waiting = f"{system.server.url}/metrics"

    async def counted() -> bool:
        async with ClientSession() as http, http.get(waiting) as answer:
            return "chatserver_replies_queued 1.0" in await answer.text()

    await eventually(counted)
    await system.add_worker()
    await ada.told("reply_started", reply_id=reply_id, attempt=2)
    await finished(ada, reply_id)
