"""Replies that run on one instance and are read on another."""

import asyncio
from typing import Any

import pytest

from chatserver.app import SERVER
from chatserver.chat.desk import ReplyDesk
from chatserver.realtime.bus import session_channel
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.instances.conftest import StartInstances, bus_of, in_one_room
from tests.raw import RawClient
from tests.servers import RunningServer
from tests.waiting import eventually

FACES = "🙂é漢"
"""Characters of one, two, three and four bytes count one each."""


class Reader:
    """A text as a client puts it together; complains of holes and doubles."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.taken = 0

    def read(self, client: RawClient, reply_id: str) -> str:
        deltas = client.inbox.all("reply_delta", reply_id=reply_id)
        for delta in deltas[self.taken :]:
            assert delta["offset"] == len(self.text), (delta, len(self.text))
            self.text += delta["text"]
        self.taken = len(deltas)
        return self.text


async def with_a_worker(
    instances: StartInstances, count: int, bot: ScriptedBot
) -> list[RunningServer]:
    """Servers of which the last alone runs replies."""
    shared: dict[str, Any] = {"bots": [bot], "default_bot": "scripted"}
    servers = await instances(count, **shared)
    for server in servers[:-1]:
        await server.app[SERVER].pool.drain(10)
    return servers


async def test_a_reply_is_read_on_all_instances_without_hole_or_double(
    instances: StartInstances, connect: Connect
) -> None:
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 3, bot)
    session_id, clients = await in_one_room(connect, servers)
    await clients[0].say(session_id, "go on")
    reply_id = (await clients[0].told("reply_started"))["reply_id"]
    readers = [Reader() for _ in clients]
    for _ in range(10):
        bot.say(FACES)
        await asyncio.sleep(0.01)
    bot.end()
    for client, reader in zip(clients, readers, strict=True):
        message = await client.told("message_created", text=FACES * 10)
        await client.told("reply_finished", reply_id=reply_id, seq=message["seq"])
        assert reader.read(client, reply_id) == FACES * 10
        names = [name for name, _ in client.inbox.about(session_id)]
        last = len(names) - 1 - names[::-1].index("message_created")
        assert names.index("reply_finished") > last


async def test_a_worker_without_the_room_tells_those_who_join_in_the_middle_elsewhere(
    instances: StartInstances, connect: Connect
) -> None:
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 3, bot)
    ada, bob = await connect(servers[0], "Ada"), await connect(servers[1], "Bob")
    session_id = (await ada.do("create_session", visibility="link"))["session"]["id"]
    await ada.say(session_id, "go on")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    bot.say(FACES, FACES)
    first = Reader()
    await eventually(lambda: first.read(ada, reply_id) == FACES * 2)

    joined = await bob.do("join_session", session_id=session_id)
    (running,) = joined["replies"]
    assert (running["reply_id"], running["text"]) == (reply_id, FACES * 2)
    second = Reader(running["text"])
    for _ in range(20):
        bot.say(FACES)
        await asyncio.sleep(0.01)
    bot.end()
    for client, reader in ((ada, first), (bob, second)):
        await client.told("reply_finished", reply_id=reply_id)
        assert reader.read(client, reply_id) == FACES * 22


async def test_joins_in_a_storm_of_deltas_meet_the_text_exactly(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.replies.stream.COALESCE_SECONDS", 0.0)
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 2, bot)
    ada = await connect(servers[1], "Ada")
    session_id = (await ada.do("create_session", visibility="link"))["session"]["id"]
    await ada.say(session_id, "go on")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    over = asyncio.Event()

    async def speak() -> None:
        while not over.is_set():
            bot.say(FACES)
            await asyncio.sleep(0.001)
        bot.end()

    speaking = asyncio.create_task(speak())
    readers = []
    for number in range(10):
        client = await connect(servers[0], f"late-{number}")
        joined = await client.do("join_session", session_id=session_id)
        (running,) = joined["replies"]
        readers.append((client, Reader(running["text"])))
    over.set()
    await speaking
    text = (await ada.told("message_created", reply_id=reply_id))["data"]["text"]
    for client, reader in readers:
        await client.told("reply_finished", reply_id=reply_id)
        assert reader.read(client, reply_id) == text


async def test_a_lost_delta_is_asked_for_and_shown_before_the_next(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 2, bot)
    session_id, (ada, bob) = await in_one_room(connect, servers)
    await ada.say(session_id, "go on")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    near, far = Reader(), Reader()
    bot.say("one ")
    await eventually(lambda: far.read(ada, reply_id) == "one ")
    with monkeypatch.context() as lossy:
        lossy.setattr(bus_of(servers[1]), "publish", lambda *_, **__: None)
        bot.say("two ")
        await eventually(lambda: near.read(bob, reply_id) == "one two ")
    bot.say("three")
    await eventually(lambda: far.read(ada, reply_id) == "one two three")
    bot.end()
    await ada.told("message_created", text="one two three")


async def test_a_stop_reaches_the_instance_that_runs_the_reply(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.replies.run.BEAT_SECONDS", 60.0)
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 2, bot)
    session_id, (ada, _) = await in_one_room(connect, servers)
    await ada.say(session_id, "go on")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    bot.say("some text")
    await ada.told("reply_delta")
    await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    stopped = await ada.told("reply_stopped", reply_id=reply_id)
    assert (await ada.told("message_created", seq=stopped["seq"]))["data"]["stopped"]


async def test_a_prompt_wakes_the_pool_of_another_instance(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.replies.pool.POLL_SECONDS", 60.0)
    servers = await instances(1, default_bot="echo", replies_concurrency=0)
    prefix = servers[0].settings.redis_prefix
    servers += await instances(1, default_bot="echo", redis_prefix=prefix)
    ada = await connect(servers[0])
    session_id = (await ada.do("create_session"))["session"]["id"]
    await ada.say(session_id, "hello")
    await ada.told("reply_finished")


async def test_the_session_is_followed_no_longer_than_the_reply_runs(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.realtime.bus_redis.bus.GRACE_SECONDS", 0.05)
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 2, bot)
    ada = await connect(servers[0])
    session_id = (await ada.do("create_session"))["session"]["id"]
    channel = session_channel(session_id)
    await ada.say(session_id, "go on")
    await ada.told("reply_started")
    assert bus_of(servers[1]).follows(channel)
    bot.say("done").end()
    await ada.told("reply_finished")
    await eventually(lambda: not bus_of(servers[1]).follows(channel))


async def test_the_session_of_a_reply_that_was_lost_to_another_is_not_followed_any_more(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.realtime.bus_redis.bus.GRACE_SECONDS", 0.05)
    bot = ScriptedBot()
    servers = await with_a_worker(instances, 2, bot)
    ada = await connect(servers[0])
    session_id = (await ada.do("create_session"))["session"]["id"]
    await ada.say(session_id, "go on")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    assert bus_of(servers[1]).follows(session_channel(session_id))

    async def renewed_too_late(*_: Any) -> None:
        """The lease has lapsed, and nobody told us who has it now."""

    monkeypatch.setattr(ReplyDesk, "renew", renewed_too_late)
    servers[1].app[SERVER].pool.stop_requested(reply_id)
    await eventually(lambda: not bus_of(servers[1]).follows(session_channel(session_id)))
