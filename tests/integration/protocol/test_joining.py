"""Joining and coming back: snapshot and live events meet without a hole and without a double."""

import asyncio
from typing import Any

from tests.conftest import Connect
from tests.integration.protocol.people import LONG, session_of
from tests.raw import RawClient
from tests.servers import StartServer


async def test_a_first_join_brings_the_newest_fifty_and_says_what_is_missing(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada)
    for n in range(60):
        await ada.say(session_id, f"message {n}")
    joined = await bob.do("join_session", session_id=session_id)
    assert (joined["from_seq"], joined["to_seq"]) == (13, 62)
    assert [e["seq"] for e in joined["events"]] == list(range(13, 63))
    assert joined["complete"] is False
    assert joined["session"]["last_seq"] == 62
    assert joined["replies"] == []
    page = await bob.do("get_history", session_id=session_id, before_seq=13, limit=200)
    assert ([e["seq"] for e in page["events"]], page["complete"]) == (list(range(1, 13)), True)


async def test_members_come_with_role_read_mark_and_presence(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, eve, bot="echo")
    await eve.do("mark_read", session_id=session_id, seq=2)
    await eve.close()
    await ada.told("presence_changed", participant=eve.me, online=False)
    joined = await bob.do("join_session", session_id=session_id)
    members = {m["participant"]["name"]: m for m in joined["members"]}
    assert {name: (m["role"], m["online"]) for name, m in members.items()} == {
        "Ada": ("owner", True),
        "Bob": ("member", True),
        "Eve": ("member", False),
        "echo": ("member", True),
    }
    assert members["Eve"]["read_seq"] == 2


async def test_coming_back_brings_exactly_what_was_missed(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada = await connect(running, "Ada")
    token = await running.token("Bob")
    bob = await connect(running, token=token)
    session_id = await session_of(ada, bob)
    had = await ada.say(session_id, "before")
    await bob.close()
    missed = [await ada.say(session_id, f"missed {n}") for n in range(10)]
    bob = await connect(running, token=token)
    joined = await bob.do("join_session", session_id=session_id, after_seq=had["seq"])
    assert joined["events"] == missed
    assert joined["complete"] is True
    assert (joined["from_seq"], joined["to_seq"]) == (missed[0]["seq"], missed[-1]["seq"])
    live = await ada.say(session_id, "live")
    assert live["seq"] == joined["to_seq"] + 1
    assert await bob.told("message_created") == live


async def test_coming_back_with_nothing_missed_brings_nothing(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    said = await ada.say(session_id, "all there is")
    joined = await ada.do("join_session", session_id=session_id, after_seq=said["seq"])
    assert joined["events"] == []
    assert (joined["from_seq"], joined["to_seq"]) == (said["seq"] + 1, said["seq"])
    assert joined["complete"] is True


async def test_after_a_long_absence_the_newest_come_and_the_rest_is_paged_for(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada)
    await asyncio.gather(*[ada.say(session_id, f"message {n}") for n in range(260)])
    joined = await bob.do("join_session", session_id=session_id, after_seq=5)
    assert joined["complete"] is False
    assert joined["to_seq"] == 262
    assert [e["seq"] for e in joined["events"]] == list(range(63, 263))
    page = await bob.do(
        "get_history", session_id=session_id, before_seq=joined["from_seq"], limit=200
    )
    assert [e["seq"] for e in page["events"]] == list(range(1, 63))


async def test_joining_while_others_send_leaves_no_hole_and_no_double(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada = await connect(running, "Ada")
    joiners = [await connect(running, f"J{n}") for n in range(10)]
    session_id = await session_of(ada)
    for joiner in joiners:
        await joiner.do("join_session", session_id=session_id)
        await joiner.do("leave_session", session_id=session_id)

    async def join(client: RawClient, after: int) -> tuple[RawClient, dict[str, Any]]:
        await ada.told("message_created", text=f"message {after}")
        joined: dict[str, Any] = await client.do("join_session", session_id=session_id, after_seq=0)
        return client, joined

    async def send() -> None:
        for n in range(300):
            await ada.say(session_id, f"message {n}")

    sending = asyncio.create_task(send())
    snapshots = await asyncio.gather(*[join(c, n * 25) for n, c in enumerate(joiners)])
    await sending
    last = (await ada.do("get_history", session_id=session_id, limit=1))["events"][0]["seq"]
    for client, joined in snapshots:
        await client.told("message_created", text="message 299")
        await client.caught_up()
        got = [e["seq"] for e in joined["events"]] + [
            payload["seq"]
            for name, payload in client.inbox.about(session_id)
            if "seq" in payload and "created_at" in payload and payload["seq"] > joined["to_seq"]
        ]
        assert got == list(range(joined["from_seq"], last + 1)), client.name


async def test_joining_amid_a_reply_brings_the_text_so_far_and_continues_by_offset(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=60)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bot="echo")
    prompt = await ada.say(session_id, LONG)
    for _ in range(3):
        await ada.told("reply_delta")
    joined = await bob.do("join_session", session_id=session_id)
    (reply,) = joined["replies"]
    assert (reply["state"], reply["prompt_seq"]) == ("running", prompt["seq"])
    text = reply["text"]
    assert LONG.startswith(text)
    assert text
    delta = await bob.told("reply_delta")
    assert delta["offset"] == len(text)
    assert delta["attempt"] == reply["attempt"]
    text += delta["text"]
    while len(text) < len(LONG):
        delta = await bob.told("reply_delta", reply_id=reply["reply_id"])
        assert delta["offset"] == len(text)
        text += delta["text"]
    assert text == LONG
    assert (await bob.told("message_created", reply_id=reply["reply_id"]))["data"]["text"] == LONG
