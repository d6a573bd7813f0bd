"""Messages between instances: every member sees 1..N in order, whatever Redis does."""

import asyncio

import pytest

from chatserver.realtime import shared_feed
from chatserver.realtime.bus_redis import link
from chatserver.realtime.gathering import ANSWER_SECONDS
from tests.conftest import Connect
from tests.gate import Gate
from tests.integration.instances.conftest import (
    StartInstances,
    are_gapless,
    bus_of,
    feed_of,
    in_one_room,
    metric,
    seqs,
)
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.waiting import eventually


async def everyone_has(clients: list[RawClient], session_id: str, last: int) -> None:
    for client in clients:
        await eventually(
            lambda c=client: (seqs(c, session_id) or [0])[-1] >= last,
            within=30,
            what=f"{client.name} has {last}",
        )
        assert are_gapless(seqs(client, session_id)), seqs(client, session_id)


async def test_members_on_three_instances_see_concurrent_messages_in_one_order(
    instances: StartInstances, connect: Connect
) -> None:
    session_id, clients = await in_one_room(connect, await instances(3))

    async def talk(client: RawClient) -> int:
        said = [await client.say(session_id, f"{number}") for number in range(40)]
        return int(said[-1]["seq"])

    last = max(await asyncio.gather(*map(talk, clients)))

    await everyone_has(clients, session_id, last)
    said = [
        [p["data"]["text"] for _, p in client.inbox.about(session_id) if p.get("seq", 0) > 3]
        for client in clients
    ]
    assert said[0] == said[1] == said[2]


async def test_an_instance_without_the_room_hears_nothing_of_it(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    ada = await connect(servers[0])
    session = (await ada.do("create_session"))["session"]["id"]
    heard = metric(servers[1], "bus_received_total")
    for number in range(20):
        await ada.say(session, f"{number}")
    await ada.caught_up()
    # Beats aside: one a second.
    assert metric(servers[1], "bus_received_total") - heard < 5


async def test_a_long_message_comes_by_way_of_the_store(
    instances: StartInstances, connect: Connect
) -> None:
    session_id, (ada, bob) = await in_one_room(
        connect, await instances(2, text_chars=60_000, frame_bytes=400_000)
    )
    text = "é" * 40_000
    await ada.say(session_id, text)
    assert (await bob.told("message_created"))["data"]["text"] == text


@pytest.mark.parametrize("harm", ["killed", "clients_killed"])
async def test_nothing_is_lost_and_order_is_kept_when_redis_is(
    instances: StartInstances, connect: Connect, own_redis: RedisServer, harm: str
) -> None:
    servers = await instances(3, redis_url=own_redis.url)
    session_id, clients = await in_one_room(connect, servers)
    stop = asyncio.Event()

    async def talk(client: RawClient) -> int:
        seq = 0
        while not stop.is_set():
            seq = (await client.say(session_id, "hello"))["seq"]
            await asyncio.sleep(0.005)
        return seq

    # The third only listens: nothing of its own reminds it to look.
    talking = [asyncio.create_task(talk(client)) for client in clients[:2]]
    await everyone_has(clients, session_id, 50)
    if harm == "killed":
        own_redis.kill()
        for server in servers:
            await eventually(lambda s=server: bus_of(s).is_deaf)
        deaf_from = seqs(clients[0], session_id)[-1]
        await everyone_has(clients, session_id, deaf_from + 50)  # while there is no Redis
        own_redis.start()
        for server in servers:
            await eventually(lambda s=server: not bus_of(s).is_deaf)
    else:
        for _ in range(5):
            own_redis.ask("CLIENT KILL TYPE pubsub")
            await asyncio.sleep(0.1)
    healed = seqs(clients[0], session_id)[-1]
    await everyone_has(clients, session_id, healed + 50)
    stop.set()
    last = max(await asyncio.gather(*talking))
    await everyone_has(clients, session_id, last)


async def test_acks_do_not_wait_while_redis_is_frozen(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    session_id, clients = await in_one_room(connect, await instances(2, redis_url=own_redis.url))
    loop = asyncio.get_running_loop()
    own_redis.freeze()
    longest, last, began = 0.0, 0, loop.time()
    while loop.time() - began < 5:
        sent = loop.time()
        last = (await clients[0].say(session_id, "hello"))["seq"]
        longest = max(longest, loop.time() - sent)
        await asyncio.sleep(0.02)
    own_redis.thaw()

    assert longest < 1
    await everyone_has(clients, session_id, last)


async def test_an_instance_cut_off_from_redis_and_the_others_see_each_others_messages(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    gate = Gate(own_redis.port)
    await gate.start()
    try:
        (near,) = await instances(1, redis_url=own_redis.url)
        (cut_off,) = await instances(
            1, redis_url=f"redis://127.0.0.1:{gate.port}", redis_prefix=near.settings.redis_prefix
        )
        session_id, (ada, bob) = await in_one_room(connect, [near, cut_off])
        await eventually(lambda: len(feed_of(near).peers) == 1)
        gate.shut()
        last = (await ada.say(session_id, "to the one that is cut off"))["seq"]
        await bob.told("message_created", seq=last)
        last = (await bob.say(session_id, "from it"))["seq"]
        await ada.told("message_created", seq=last)
        gate.open()
        await eventually(lambda: not bus_of(cut_off).is_deaf, within=20)
        await bob.say(session_id, "again")
        last = (await ada.say(session_id, "and again"))["seq"]
        await everyone_has([ada, bob], session_id, last)
    finally:
        await gate.stop()


async def test_a_join_while_redis_is_gone_succeeds_and_catches_up(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    servers = await instances(2, redis_url=own_redis.url)
    ada, bob = [await connect(server, name) for server, name in zip(servers, "ab", strict=True)]
    session_id = (await ada.do("create_session", visibility="link"))["session"]["id"]
    own_redis.kill()
    for server in servers:
        await eventually(lambda s=server: bus_of(s).is_deaf)
    began = asyncio.get_running_loop().time()
    await bob.do("join_session", session_id=session_id)
    assert asyncio.get_running_loop().time() - began < 1
    last = (await ada.say(session_id, "hello"))["seq"]
    await bob.told("message_created", seq=last)


async def test_an_instance_is_not_ready_while_it_does_not_hear_itself(
    instances: StartInstances,
    own_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "DEAF_SECONDS", 0.5)
    monkeypatch.setattr(link, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr("chatserver.realtime.bus_redis.bus.UNREADY_SECONDS", 0.2)
    (server,) = await instances(1, redis_url=own_redis.url)
    check = bus_of(server).check
    await check()
    own_redis.freeze()

    async def is_unready() -> bool:
        try:
            await check()
        except Exception:
            return True
        return False

    await eventually(is_unready)
    own_redis.thaw()

    async def is_ready() -> bool:
        return not await is_unready()

    await eventually(is_ready)


async def test_the_first_joiner_reads_the_log_only_once_it_is_subscribed(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent while SUBSCRIBE is on its way must be in the snapshot or come live."""
    monkeypatch.setattr(shared_feed, "SUBSCRIBE_SECONDS", 30.0)
    servers = await instances(2)
    ada, bob = [await connect(server, name) for server, name in zip(servers, "ab", strict=True)]
    session_id = (await ada.do("create_session", visibility="link"))["session"]["id"]

    bus = bus_of(servers[1])
    subscribe = bus.subscribe
    asked, release = asyncio.Event(), asyncio.Event()

    def late(channel: str, hear: object) -> "asyncio.Future[None]":
        async def later() -> None:
            asked.set()
            await release.wait()
            await subscribe(channel, hear)  # type: ignore[arg-type]

        return asyncio.ensure_future(later())

    monkeypatch.setattr(bus, "subscribe", late)
    joining = asyncio.create_task(bob.do("join_session", session_id=session_id))
    await asyncio.wait_for(asked.wait(), 5)
    last = [await ada.say(session_id, f"{number}") for number in range(5)][-1]["seq"]
    assert not joining.done()
    release.set()
    joined = await joining
    assert [e["seq"] for e in joined["events"]][-1] == joined["to_seq"] >= last


async def test_a_hint_lost_on_the_wire_is_healed_by_the_next_one(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = await instances(2)
    session_id, clients = await in_one_room(connect, servers)
    bus = bus_of(servers[0])
    with monkeypatch.context() as lossy:
        lossy.setattr(bus, "publish", lambda *_, **__: None)
        for number in range(5):
            await clients[0].say(session_id, f"{number}")
    last = (await clients[0].say(session_id, "heard"))["seq"]
    await everyone_has(clients, session_id, last)
    assert metric(servers[1], "gaps_healed_total") >= 5


async def test_who_has_left_hears_nothing_more_while_an_earlier_event_is_awaited(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.realtime.feed.LATE_SECONDS", 1.0)
    servers = await instances(2)
    session_id, (ada, cara) = await in_one_room(connect, servers)
    bob, dora = await connect(servers[0], "bob"), await connect(servers[0], "dora")
    for client in (bob, dora):
        await client.do("join_session", session_id=session_id)
    with monkeypatch.context() as lossy:
        lossy.setattr(bus_of(servers[1]), "publish", lambda *_, **__: None)
        await cara.say(session_id, "This comes late.")
    await bob.do("leave_session", session_id=session_id)
    await cara.do("set_typing", session_id=session_id, typing=True)
    await dora.close()
    await ada.told("typing_changed")
    await ada.told("presence_changed", online=False, participant=dora.me)
    await bob.told("participant_left")
    await bob.caught_up()
    assert not bob.inbox.all("typing_changed")
    assert not bob.inbox.all("presence_changed", online=False)


async def test_joins_do_not_wait_out_the_time_for_answers(
    instances: StartInstances, connect: Connect
) -> None:
    rooms = 200
    servers = await instances(2, rooms_per_connection=rooms, sessions_per_participant=rooms)
    ada, joiner = await connect(servers[0]), await connect(servers[1], "joiner")
    ids = [
        (await ada.do("create_session", visibility="link"))["session"]["id"] for _ in range(rooms)
    ]
    began = asyncio.get_running_loop().time()
    for session_id in ids:
        await joiner.do("join_session", session_id=session_id)
    assert asyncio.get_running_loop().time() - began < rooms * ANSWER_SECONDS / 2
    last = (await ada.say(ids[-1], "hello"))["seq"]
    await joiner.told("message_created", session_id=ids[-1], seq=last)
