"""Everything is bounded, and every bound has its name (G7)."""

import asyncio
import time
from typing import Any

from tests.conftest import Connect
from tests.integration.protocol.people import LONG, session_of, texts_of
from tests.servers import StartServer
from tests.waiting import eventually


async def test_a_text_that_is_too_long_is_refused(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server(text_chars=10))
    session_id = await session_of(ada)
    await ada.say(session_id, "🎈" * 10)
    payload = {"session_id": session_id, "text": "x" * 11, "client_message_id": "a"}
    error = await ada.refused("send_message", payload)
    assert (error["code"], error["field"]) == ("text_too_long", "text")
    seq = (await ada.say(session_id, "short"))["seq"]
    edit = {"session_id": session_id, "seq": seq, "text": "x" * 11}
    assert (await ada.refused("edit_message", edit))["code"] == "text_too_long"


async def test_deep_nesting_is_refused_and_the_connection_goes_on(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(json_depth=8))
    deep: Any = "x"
    for _ in range(20):
        deep = [deep]
    assert (await ada.refused("create_session", {"title": deep}))["code"] == "payload_too_deep"
    await ada.caught_up()


async def test_a_frame_that_is_too_large_ends_only_its_own_connection(
    server: StartServer, connect: Connect
) -> None:
    running = await server(frame_bytes=4096)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    huge = {"session_id": session_id, "text": "x" * 8192, "client_message_id": "a"}
    sending = asyncio.create_task(ada.call("send_message", huge))
    lost = asyncio.create_task(ada.lost())
    await asyncio.wait([sending, lost], return_when=asyncio.FIRST_COMPLETED)
    if sending.done():
        assert sending.result()["error"]["code"] == "payload_too_large"
    for task in (sending, lost):
        task.cancel()
    await asyncio.gather(sending, lost, return_exceptions=True)
    await bob.say(session_id, "still here")
    assert await texts_of(bob, session_id) == ["still here"]


async def test_too_many_events_are_refused_with_the_time_to_wait(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(events_per_second=10, events_burst=5))
    # At once: one after the other would be no rate to refuse on a slow machine.
    acks = await asyncio.gather(*[ada.call("list_sessions", {}) for _ in range(40)])
    refused = [ack["error"] for ack in acks if not ack["ok"]]
    assert acks[0]["ok"]
    assert refused
    assert {error["code"] for error in refused} == {"rate_limited"}
    assert all(error["retryable"] for error in refused)
    wait = refused[-1]["retry_after_ms"]
    assert 0 < wait <= 1_000
    asked = time.monotonic()

    async def allowed() -> bool:
        return bool((await ada.call("list_sessions", {}))["ok"])

    # Asking costs nothing once refused: so it is allowed soon after the time that was named.
    await eventually(allowed, within=wait / 1000 + 3)
    assert time.monotonic() - asked < wait / 1000 + 3


async def test_one_clients_rate_does_not_slow_another(
    server: StartServer, connect: Connect
) -> None:
    running = await server(events_per_second=1, events_burst=3)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    acks = await asyncio.gather(*[ada.call("list_sessions", {}) for _ in range(20)])
    assert not all(ack["ok"] for ack in acks)
    await bob.do("list_sessions")


async def test_a_refused_message_is_not_stored_and_its_repeat_is(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(events_per_second=5, events_burst=4))
    session_id = await session_of(ada)
    payloads = [
        {"session_id": session_id, "text": "patience", "client_message_id": str(n)}
        for n in range(40)
    ]
    acks = await asyncio.gather(*[ada.call("send_message", payload) for payload in payloads])
    payload = next(each for each, ack in zip(payloads, acks, strict=True) if not ack["ok"])

    async def sent() -> Any:
        ack = await ada.call("send_message", payload)
        return ack["ok"] and ack

    ack = await eventually(sent)
    assert ack["data"]["duplicate"] is False


async def test_more_sessions_than_allowed_are_refused(
    server: StartServer, connect: Connect
) -> None:
    running = await server(sessions_per_participant=2)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    mine, _ = await session_of(ada), await session_of(ada)
    assert (await ada.refused("create_session", {}))["code"] == "too_many_sessions"
    of_bob = await session_of(bob)
    refused = await ada.refused("join_session", {"session_id": of_bob})
    assert refused["code"] == "too_many_sessions"
    await ada.do("delete_session", session_id=mine)
    await ada.do("join_session", session_id=of_bob)


async def test_more_members_than_allowed_are_refused(server: StartServer, connect: Connect) -> None:
    running = await server(members_per_session=2)
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, bob)
    refused = await eve.refused("join_session", {"session_id": session_id})
    assert refused["code"] == "session_full"
    await bob.do("leave_session", session_id=session_id)
    await eve.do("join_session", session_id=session_id)


async def test_more_invites_than_allowed_are_refused(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server(invites_per_session=2))
    session_id = await session_of(ada)
    for _ in range(2):
        await ada.do("create_invite", session_id=session_id)
    refused = await ada.refused("create_invite", {"session_id": session_id})
    assert refused["code"] == "too_many_invites"
    await ada.do("revoke_invites", session_id=session_id)
    await ada.do("create_invite", session_id=session_id)


async def test_more_waiting_replies_than_allowed_are_refused_as_busy(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(queued_replies_per_session=2, words_per_second=20))
    session_id = await session_of(ada, bot="echo")
    for _ in range(2):
        await ada.say(session_id, LONG)
    payload = {"session_id": session_id, "text": "me too", "client_message_id": "a"}
    error = await ada.refused("send_message", payload)
    assert (error["code"], error["retryable"]) == ("busy", True)
    assert error["message"].startswith("2 replies wait or run in this session")
    assert error["waiting"] == 2
    assert "me too" not in await texts_of(ada, session_id)


async def test_more_waiting_replies_in_all_than_allowed_are_refused_as_busy(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(queued_replies=2, words_per_second=20))
    session_ids = [await session_of(ada, bot="echo") for _ in range(3)]
    for session_id in session_ids[:2]:
        await ada.say(session_id, LONG)
    payload = {"session_id": session_ids[2], "text": "me too", "client_message_id": "a"}
    error = await ada.refused("send_message", payload)
    assert (error["code"], error["waiting"]) == ("busy", 2)
    assert error["message"] == "2 replies wait or run before it"


async def test_more_waiting_replies_of_one_person_than_allowed_are_refused_as_busy(
    server: StartServer, connect: Connect
) -> None:
    running = await server(queued_replies_per_participant=2, words_per_second=20)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_ids = [await session_of(ada, bob, bot="echo") for _ in range(3)]
    for session_id in session_ids[:2]:
        await ada.say(session_id, LONG)
    payload = {"session_id": session_ids[2], "text": "me too", "client_message_id": "a"}
    error = await ada.refused("send_message", payload)
    assert (error["code"], error["waiting"]) == ("busy", 2)
    await bob.say(session_ids[2], "and I?")


async def test_a_quota_is_not_given_back_by_deleting_the_session(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(replies_per_participant_day=1))
    session_id = await session_of(ada, bot="echo")
    await ada.say(session_id, "one")
    await ada.told("reply_finished")
    await ada.do("delete_session", session_id=session_id)
    elsewhere = await session_of(ada, bot="echo")
    payload = {"session_id": elsewhere, "text": "two", "client_message_id": "a"}
    assert (await ada.refused("send_message", payload))["code"] == "quota_exceeded"


async def test_more_replies_in_a_day_than_allowed_are_refused_until_midnight(
    server: StartServer, connect: Connect
) -> None:
    running = await server(replies_per_participant_day=2)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="echo")
    for n in range(2):
        await ada.say(session_id, f"question {n}")
    payload = {"session_id": session_id, "text": "one more", "client_message_id": "a"}
    error = await ada.refused("send_message", payload)
    assert (error["code"], error["retryable"]) == ("quota_exceeded", False)
    assert 0 < error["retry_after_ms"] <= 86_400_000
    assert "one more" not in await texts_of(ada, session_id)
    await ada.do("update_session", session_id=session_id, reply_policy="mention")
    await ada.say(session_id, "what asks nobody is free")
    await bob.say(session_id, "@echo, and the limit is each person's own")


async def test_one_persons_waiting_replies_do_not_hold_up_anothers(
    server: StartServer, connect: Connect
) -> None:
    running = await server(running_replies_per_participant=1, words_per_second=20)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    mine = [await session_of(ada, bot="echo") for _ in range(3)]
    for session_id in mine:
        await ada.say(session_id, LONG)
    first = await ada.told("reply_started")
    of_bob = await session_of(bob, bot="echo")
    await bob.say(of_bob, "short")
    await bob.told("reply_finished")
    assert len(ada.inbox.all("reply_started")) == 1
    stop = {"session_id": first["session_id"], "reply_id": first["reply_id"]}
    await ada.do("stop_reply", **stop)
    await ada.told("reply_started", session_id=mine[1])


async def test_more_rooms_on_one_connection_than_allowed_are_refused(
    server: StartServer, connect: Connect
) -> None:
    running = await server(rooms_per_connection=2)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    rooms = [await session_of(ada) for _ in range(2)]
    third = await session_of(bob)
    refused = await ada.refused("join_session", {"session_id": third})
    assert refused["code"] == "too_many_sessions"
    await ada.say(rooms[0], "still fine")
    # Where it is already, it may ask for a fresh snapshot.
    again = await ada.do("join_session", session_id=rooms[1])
    assert again["session"]["id"] == rooms[1]


async def test_events_that_are_sent_without_waiting_take_effect_in_order(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    acks = await asyncio.gather(
        *[
            ada.call(
                "send_message",
                {"session_id": session_id, "text": f"{n}", "client_message_id": f"{n}"},
            )
            for n in range(200)
        ]
    )
    assert all(ack["ok"] for ack in acks)
    assert await texts_of(ada, session_id) == [f"{n}" for n in range(200)]
    await ada.caught_up()


async def test_more_slow_events_than_allowed_are_refused(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server(slow_events=4))
    session_id = await session_of(ada)
    summary = {"session_id": session_id}
    acks = await asyncio.gather(*[ada.call("summarize_session", summary) for _ in range(50)])
    refused = [ack["error"]["code"] for ack in acks if not ack["ok"]]
    assert set(refused) == {"too_many_in_flight"}
    assert len(acks) - len(refused) >= 4
    assert (await ada.call("summarize_session", summary))["ok"]


async def test_a_room_of_many_hears_everything_in_order(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    owner = await connect(running, "Ada")
    session_id = await session_of(owner)
    people = await asyncio.gather(*[connect(running, f"P{n}") for n in range(60)])
    for person in people:
        await person.do("join_session", session_id=session_id)
    for n in range(20):
        await owner.say(session_id, f"message {n}")
    for person in people:
        heard = [await person.told("message_created") for _ in range(20)]
        assert [e["data"]["text"] for e in heard] == [f"message {n}" for n in range(20)]


async def test_a_member_who_does_not_read_is_cut_off_and_slows_nobody(
    server: StartServer, connect: Connect
) -> None:
    running = await server(unsent_bytes=65_536, text_chars=60_000, frame_bytes=262_144)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    slow = await connect(running, "Slow")
    session_id = await session_of(ada, bob, slow)
    await bob.told("presence_changed", participant=slow.me, online=True)
    transport = slow.sio.eio.ws.get_extra_info("socket")
    assert transport is not None
    slow.sio.eio.ws._response.connection.transport.pause_reading()
    for n in range(400):
        await ada.say(session_id, f"{n} " + "x" * 50_000)
    await bob.told("presence_changed", participant=slow.me, online=False, within=30)
    await bob.told("message_created", text="399 " + "x" * 50_000)
