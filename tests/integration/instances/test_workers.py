"""Replies that workers run for servers which leave them to it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest
from aiohttp import ClientSession

from chatserver.app import SERVER
from chatserver.chat.ports import Bot
from chatserver.replies.pool import ReplyPool
from chatserver.testing import ScriptedBot
from chatserver.worker import REPLYING, create_worker
from tests.conftest import Connect
from tests.integration.instances.conftest import StartInstances, in_one_room, metric
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.servers import RunningServer
from tests.waiting import eventually

NOBODY_LOOKS = 600.0


class RunningWorker(RunningServer):
    """Its URL is that of its health checks."""

    @property
    def pool(self) -> ReplyPool:
        return self.app[REPLYING].pool


class StartWorker(Protocol):
    async def __call__(
        self, server: RunningServer, bots: list[Bot] | None = None, **settings: Any
    ) -> RunningWorker: ...


@pytest.fixture
async def worker() -> AsyncIterator[StartWorker]:
    """Starts a worker in this process, for `server` and those who share its database."""
    running: list[RunningWorker] = []

    async def start(
        server: RunningServer, bots: list[Bot] | None = None, **settings: Any
    ) -> RunningWorker:
        chosen = server.settings.model_copy(update={"replies_concurrency": 10, **settings})
        running.append(RunningWorker(create_worker(chosen, bots), chosen))
        await running[-1].start()
        return running[-1]

    yield start
    for one in running:
        await one.stop()


@pytest.fixture
def bot() -> ScriptedBot:
    return ScriptedBot()


async def leave_to_workers(
    instances: StartInstances, count: int, **settings: Any
) -> list[RunningServer]:
    shared: dict[str, Any] = {"bots": [ScriptedBot()], "default_bot": "scripted"}
    return await instances(count, **{**shared, "replies_concurrency": 0, **settings})


async def ask(client: RawClient, session_id: str) -> str:
    """Returns the reply's id once it is being written."""
    await client.say(session_id, "go on")
    return str((await client.told("reply_started"))["reply_id"])


async def test_a_worker_streams_into_rooms_of_other_instances(
    instances: StartInstances, worker: StartWorker, connect: Connect, bot: ScriptedBot
) -> None:
    servers = await leave_to_workers(instances, 2)
    await worker(servers[0], [bot])
    session_id, clients = await in_one_room(connect, servers)
    reply_id = await ask(clients[0], session_id)
    bot.say("one ", "two")
    for client in clients:
        await client.told("reply_delta", text="one ", offset=0)
    bot.end()
    for client in clients:
        message = await client.told("message_created", text="one two")
        await client.told("reply_finished", reply_id=reply_id, seq=message["seq"])


async def test_a_server_that_leaves_replies_to_workers_never_runs_one(
    instances: StartInstances,
    worker: StartWorker,
    connect: Connect,
    bot: ScriptedBot,
) -> None:
    own = ScriptedBot()
    (server,) = await leave_to_workers(instances, 1, bots=[own])
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    for number in range(3):
        await ada.say(session_id, f"{number}")
    await eventually(lambda: metric(server, "replies_queued") == 3)
    bot.answers(["a", "b", "c"])
    await worker(server, [bot])
    for text in "abc":
        await ada.told("message_created", text=text)
    await eventually(lambda: metric(server, "replies_queued") == 0)
    assert own.contexts == []
    assert metric(server, "replies_running") == 0


async def test_prompts_and_stops_reach_a_worker_at_once_and_so_do_retries(
    instances: StartInstances,
    worker: StartWorker,
    connect: Connect,
    bot: ScriptedBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("pool.POLL_SECONDS", "pool.STOP_SECONDS", "run.BEAT_SECONDS"):
        monkeypatch.setattr(f"chatserver.replies.{name}", NOBODY_LOOKS)
    (server,) = await leave_to_workers(instances, 1)
    await worker(server, [bot])
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    reply_id = await ask(ada, session_id)
    bot.say("some text")
    await ada.told("reply_delta")
    await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    stopped = await ada.told("reply_stopped", reply_id=reply_id)
    assert (await ada.told("message_created", seq=stopped["seq"]))["data"]["stopped"]

    again = (await ada.do("retry_reply", session_id=session_id, reply_id=reply_id))["reply"]
    await ada.told("reply_started", reply_id=again["reply_id"])
    bot.say("better").end()
    await ada.told("message_created", text="better")


async def test_a_draining_worker_hands_its_replies_to_another_at_once(
    instances: StartInstances,
    worker: StartWorker,
    connect: Connect,
    bot: ScriptedBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatserver.replies.pool.POLL_SECONDS", NOBODY_LOOKS)
    own = ScriptedBot()
    (server,) = await leave_to_workers(instances, 1)
    leaving = await worker(server, [bot])
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    reply_id = await ask(ada, session_id)
    bot.say("half an ans")
    await ada.told("reply_delta")
    await worker(server, [own])

    began = asyncio.get_running_loop().time()
    await leaving.stop()
    assert leaving.pool.running == 0
    await ada.told("reply_started", reply_id=reply_id, attempt=2)
    assert asyncio.get_running_loop().time() - began < 5
    own.say("the whole answer").end()
    await ada.told("message_created", text="the whole answer")
    await ada.told("reply_finished", reply_id=reply_id)


async def test_a_reply_goes_from_a_server_to_a_worker_and_on_to_another_server(
    instances: StartInstances,
    worker: StartWorker,
    connect: Connect,
    bot: ScriptedBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatserver.replies.pool.POLL_SECONDS", NOBODY_LOOKS)
    (first,) = await leave_to_workers(instances, 1, replies_concurrency=5)
    ada = await connect(first)
    session_id = (await ada.do("create_session"))["session"]["id"]
    reply_id = await ask(ada, session_id)

    between = await worker(first, [bot])
    await first.app[SERVER].pool.drain(10)
    await ada.told("reply_started", reply_id=reply_id, attempt=2)
    bot.say("from the worker")
    await ada.told("reply_delta", attempt=2, text="from the worker")

    own = ScriptedBot()
    prefix = first.settings.redis_prefix
    await instances(
        1, bots=[own], default_bot="scripted", redis_prefix=prefix, replies_concurrency=5
    )
    await between.stop()
    await ada.told("reply_started", reply_id=reply_id, attempt=3)
    own.say("from the other server").end()
    await ada.told("message_created", text="from the other server")
    await ada.told("reply_finished", reply_id=reply_id)


async def test_sessions_get_their_titles_from_the_worker(
    instances: StartInstances, worker: StartWorker, connect: Connect, bot: ScriptedBot
) -> None:
    (server,) = await leave_to_workers(instances, 1, titles=True)
    await worker(server, [bot])
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    await ada.say(session_id, "How long does tea keep?")
    bot.say("Two years.").end()
    await ada.told("session_updated", title="How long does tea keep?")


async def test_a_worker_answers_machines_and_nobody_else(
    instances: StartInstances, worker: StartWorker
) -> None:
    (server,) = await leave_to_workers(instances, 1)
    url = (await worker(server, [ScriptedBot()])).url
    async with ClientSession(url) as http:
        async with http.get("/healthz") as alive:
            assert alive.status == 200
        async with http.get("/readyz") as ready:
            assert ready.status == 200
            checks = (await ready.json())["checks"]
            assert checks == {"store": "ok", "redis": "ok", "claiming": "ok"}
        async with http.get("/metrics") as metrics:
            assert "chatserver_replies_running" in await metrics.text()
        for path in ("/", "/socket.io/?EIO=4&transport=polling", "/api/v1/openapi.json"):
            async with http.get(path) as refused:
                assert refused.status == 404, path


async def test_a_worker_goes_on_without_redis_and_what_it_wrote_is_read_later(
    instances: StartInstances,
    worker: StartWorker,
    connect: Connect,
    bot: ScriptedBot,
    own_redis: RedisServer,
) -> None:
    (server,) = await leave_to_workers(instances, 1, redis_url=own_redis.url)
    await worker(server, [bot])
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    own_redis.kill()
    await ada.say(session_id, "go on")
    await eventually(lambda: bot.contexts, what="the prompt is found by looking")
    bot.say("all the same").end()
    await ada.told("message_created", text="all the same")
