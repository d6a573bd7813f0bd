"""Who is there, who types, who has read: across instances."""

import asyncio
from datetime import timedelta

import pytest

from chatserver.chat.tokens import token_digest
from chatserver.realtime import instances as instances_module
from chatserver.realtime import peers
from chatserver.realtime.frame import Kind, new_origin, pack
from tests.conftest import Connect
from tests.integration.instances.conftest import (
    StartInstances,
    bus_of,
    feed_of,
    in_one_room,
    metric,
)
from tests.redis_server import RedisServer
from tests.waiting import eventually


def is_online(joined: dict[str, list[dict[str, object]]], who: dict[str, str]) -> object:
    return next(m["online"] for m in joined["members"] if m["participant"] == who)


async def test_a_joiner_sees_people_on_other_instances_as_online(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(3)
    session_id, (ada, bob, _) = await in_one_room(connect, servers)
    late = await connect(servers[2], "late")
    joined = await late.do("join_session", session_id=session_id)
    assert is_online(joined, ada.me)
    assert is_online(joined, bob.me)


async def test_rest_shows_people_on_other_instances_as_online(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    token = await servers[0].token("Ada")
    ada = await connect(servers[0], token=token)
    session_id = (await ada.do("create_session"))["session"]["id"]
    members = await servers[1].rest("GET", f"/api/v1/sessions/{session_id}/members", token=token)
    assert [m["online"] for m in members["members"]] == [True]


async def test_somebody_on_two_instances_comes_and_goes_once(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(3)
    session_id, (ada, _, _) = await in_one_room(connect, servers)
    token = await servers[1].token("Eve")
    here = await connect(servers[1], token=token)
    there = await connect(servers[2], token=token)
    for eve in (here, there):
        await eve.do("join_session", session_id=session_id)
    await ada.told("presence_changed", participant=here.me, online=True)
    await here.close()
    other = await connect(servers[1], "other")
    await other.do("join_session", session_id=session_id)
    await ada.told("presence_changed", participant=other.me, online=True)
    assert not ada.inbox.all("presence_changed", participant=here.me, online=False)
    await there.close()
    await ada.told("presence_changed", participant=here.me, online=False)
    assert len(ada.inbox.all("presence_changed", participant=here.me)) == 2


async def test_people_of_a_killed_instance_go_offline(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert peers.LEASE_SECONDS + 2 * peers.BEAT_SECONDS < 15
    monkeypatch.setattr(instances_module, "LEASE_SECONDS", 1.0)
    servers = await instances(2)
    _, (ada, bob) = await in_one_room(connect, servers)
    await ada.told("presence_changed", participant=bob.me, online=True)
    # As kill -9 does: no good-bye, no beat, no connection to Redis.
    await feed_of(servers[1]).silence()
    await bus_of(servers[1]).stop()
    await ada.told("presence_changed", participant=bob.me, online=False)


async def test_people_of_an_instance_that_stops_go_offline_at_once(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    _, (ada, bob) = await in_one_room(connect, servers)
    await servers[1].stop()
    await ada.told("presence_changed", participant=bob.me, online=False, within=3)


async def test_nobody_goes_offline_because_redis_was_away(
    instances: StartInstances,
    connect: Connect,
    own_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instances_module, "LEASE_SECONDS", 2.0)
    servers = await instances(2, redis_url=own_redis.url)
    session_id, (ada, bob) = await in_one_room(connect, servers)
    await ada.told("presence_changed", participant=bob.me, online=True)
    own_redis.kill()
    await eventually(lambda: bus_of(servers[0]).deaf_seconds > 3)
    own_redis.start()
    await eventually(lambda: not any(bus_of(server).is_deaf for server in servers))
    await eventually(lambda: len(feed_of(servers[0]).peers) == 1)
    last = (await bob.say(session_id, "still here"))["seq"]
    await ada.told("message_created", seq=last)
    assert not ada.inbox.all("presence_changed", online=False)


async def test_who_came_while_redis_was_away_is_announced_after(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    servers = await instances(2, redis_url=own_redis.url)
    session_id, (ada, bob) = await in_one_room(connect, servers)
    await ada.told("presence_changed", participant=bob.me, online=True)
    own_redis.kill()
    await eventually(lambda: all(bus_of(server).is_deaf for server in servers))
    eve = await connect(servers[1], "Eve")
    await eve.do("join_session", session_id=session_id)
    await bob.close()
    own_redis.start()
    await ada.told("presence_changed", participant=eve.me, online=True)
    await ada.told("presence_changed", participant=bob.me, online=False)


async def test_typing_is_shown_elsewhere_and_ends_with_the_message(
    instances: StartInstances, connect: Connect
) -> None:
    session_id, (ada, bob) = await in_one_room(connect, await instances(2))
    for _ in range(3):
        await bob.do("set_typing", session_id=session_id, typing=True)
    await ada.told("typing_changed", participant=bob.me, typing=True)
    await bob.say(session_id, "there")
    await ada.told("typing_changed", participant=bob.me, typing=False)
    await ada.told("message_created")
    assert len(ada.inbox.all("typing_changed")) == 2


async def test_typing_ends_elsewhere_when_the_typist_leaves(
    instances: StartInstances, connect: Connect
) -> None:
    session_id, (ada, bob) = await in_one_room(connect, await instances(2))
    await bob.do("set_typing", session_id=session_id, typing=True)
    await ada.told("typing_changed", participant=bob.me, typing=True)
    await bob.close()
    await ada.told("typing_changed", participant=bob.me, typing=False, within=3)


async def test_read_marks_are_shown_elsewhere(instances: StartInstances, connect: Connect) -> None:
    session_id, (ada, bob) = await in_one_room(connect, await instances(2))
    await bob.do("mark_read", session_id=session_id, seq=1)
    await ada.told("read_changed", participant_id=bob.me["id"], seq=1)


async def test_a_deleted_session_ends_on_all_instances(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    session_id, (ada, bob) = await in_one_room(connect, servers)
    await ada.do("delete_session", session_id=session_id)
    await bob.told("session_deleted", session_id=session_id)
    await eventually(lambda: not feed_of(servers[1]).hosted())


async def test_a_deletion_that_nobody_heard_of_is_found_in_the_store(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = await instances(2)
    session_id, (ada, bob) = await in_one_room(connect, servers)
    monkeypatch.setattr(bus_of(servers[0]), "publish", lambda *_, **__: None)
    await ada.do("delete_session", session_id=session_id)
    await bob.told("session_deleted", session_id=session_id, within=15)
    assert not feed_of(servers[1]).hosted()


async def test_a_new_session_is_told_to_its_owners_other_tabs(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    token = await servers[0].token("Ada")
    tabs = [await connect(server, token=token) for server in servers]
    session = (await tabs[0].do("create_session"))["session"]
    assert (await tabs[1].told("session_added"))["session"]["id"] == session["id"]


async def test_a_revoked_token_ends_its_connections_on_all_instances(
    instances: StartInstances, connect: Connect
) -> None:
    servers = await instances(2)
    token = await servers[0].token("Ada")
    tabs = [await connect(server, token=token) for server in servers]
    await servers[0].rest("DELETE", "/api/v1/tokens/current", token=token)
    await asyncio.gather(*(tab.lost() for tab in tabs))


async def test_a_token_revoked_while_redis_was_away_ends_its_connections_after(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    servers = await instances(2, redis_url=own_redis.url)
    token = await servers[0].token("Ada")
    tab = await connect(servers[1], token=token)
    own_redis.kill()
    await eventually(lambda: all(bus_of(server).is_deaf for server in servers))
    await servers[0].rest("DELETE", "/api/v1/tokens/current", token=token)
    own_redis.start()
    await tab.lost()


async def test_a_revocation_there_was_no_room_for_is_told_while_redis_stays(
    instances: StartInstances, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.realtime.bus_redis.publisher.OUTBOX_COUNT", 4)
    servers = await instances(2)
    token = await servers[0].token("Ada")
    tab = await connect(servers[1], token=token)
    feed = feed_of(servers[0])
    feed.drop_token(token_digest(token))
    for seq in range(10):
        feed.bus.publish("s:any", pack(Kind.EVENT, new_origin(), seq), keep=True)
    await tab.lost()
    assert metric(servers[0], "bus_dropped_total", kind="durable") > 0


async def test_nobody_is_dismissed_while_the_others_are_not_heard(
    instances: StartInstances,
    connect: Connect,
    own_redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatserver.chat.rooms.ARRIVING", timedelta(0))
    here, there = await instances(2, redis_url=own_redis.url)
    await here.service.lobby()
    ada = await connect(there, "Ada")
    await ada.do("join_session", session_id="lobby")
    assert await here.service.make_room("lobby") == 0
    own_redis.kill()
    await eventually(lambda: bus_of(here).is_deaf)
    assert await here.service.make_room("lobby") == 0
    await ada.say("lobby", "still here")
