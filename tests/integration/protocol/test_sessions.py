"""Making, finding, joining, changing, leaving and deleting sessions."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.integration.protocol.people import log_of, session_of
from tests.servers import StartServer


async def test_a_new_session_has_defaults_and_its_creator_in_the_room(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session = (await ada.do("create_session"))["session"]
    assert session["title"] == ""
    assert session["visibility"] == "private"
    assert session["reply_policy"] == "always"
    assert session["bot"] == "echo"
    assert session["created_by"] == ada.me["id"]
    assert session["last_seq"] == 2
    log = await log_of(ada, session["id"])
    assert [(e["seq"], e["type"]) for e in log] == [
        (1, "participant_joined"),
        (2, "participant_joined"),
    ]
    assert log[0]["data"] == {"participant": ada.me, "role": "owner"}
    assert log[1]["data"]["participant"]["kind"] == "bot"
    said = await ada.say(session["id"], "hello")
    assert said["seq"] == 3
    assert await ada.told("message_created", seq=3) == said


async def test_a_new_session_takes_its_settings(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server())
    given = {"title": " Tea ", "bot": None, "visibility": "public", "reply_policy": "off"}
    session = (await ada.do("create_session", **given))["session"]
    assert {key: session[key] for key in given} == {**given, "title": "Tea"}


async def test_an_unknown_bot_is_refused(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server())
    assert (await ada.refused("create_session", {"bot": "hal"}))["code"] == "unknown_bot"
    session_id = await session_of(ada)
    error = await ada.refused("update_session", {"session_id": session_id, "bot": "hal"})
    assert (error["code"], error["field"]) == ("unknown_bot", "bot")


async def test_other_devices_hear_of_sessions_created_and_joined(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    token = await running.token("Ada")
    desk, phone = await connect(running, token=token), await connect(running, token=token)
    bob = await connect(running, "Bob")
    created = (await desk.do("create_session", title="Tea", visibility="link"))["session"]
    assert (await phone.told("session_added"))["session"] == created
    own = await session_of(bob)
    await desk.do("join_session", session_id=own)
    assert (await phone.told("session_added"))["session"]["id"] == own
    await bob.caught_up()
    assert bob.inbox.all("session_added", session=created) == []


async def test_a_private_session_needs_an_invite(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, visibility="private")
    plain = {"session_id": session_id}
    assert (await bob.refused("join_session", plain))["code"] == "not_found"
    assert (await bob.refused("join_session", {**plain, "invite": "guess"}))["code"] == "not_found"
    invited = await ada.do("create_invite", session_id=session_id, expires_in=60)
    joined = await bob.do("join_session", **plain, invite=invited["invite"])
    assert {m["participant"]["id"] for m in joined["members"]} == {ada.me["id"], bob.me["id"]}
    told = await ada.told("participant_joined", participant=bob.me)
    assert told["data"]["role"] == "member"


async def test_revoked_invites_are_worthless_but_members_stay(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, visibility="private")
    code = (await ada.do("create_invite", session_id=session_id))["invite"]
    await bob.do("join_session", session_id=session_id, invite=code)
    assert await ada.do("revoke_invites", session_id=session_id) == {}
    refused = await eve.refused("join_session", {"session_id": session_id, "invite": code})
    assert refused["code"] == "not_found"
    await bob.say(session_id, "still here")


async def test_an_invite_opens_only_its_own_session(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    one, other = [await session_of(ada, visibility="private") for _ in range(2)]
    code = (await ada.do("create_invite", session_id=one))["invite"]
    refused = await bob.refused("join_session", {"session_id": other, "invite": code})
    assert refused["code"] == "not_found"


@pytest.mark.parametrize("event", ["create_invite", "revoke_invites", "delete_session"])
async def test_only_the_owner_may(server: StartServer, connect: Connect, event: str) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    assert (await bob.refused(event, {"session_id": session_id}))["code"] == "forbidden"


async def test_only_the_owner_may_rename_or_update(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    for event in ("rename_session", "update_session"):
        error = await bob.refused(event, {"session_id": session_id, "title": "mine"})
        assert error["code"] == "forbidden"
    assert "session_updated" not in {e["type"] for e in await log_of(ada, session_id)}


async def test_a_link_session_is_joined_by_its_id_and_not_listed(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, visibility="link")
    assert (await bob.do("list_sessions", scope="public"))["sessions"] == []
    refused = await bob.refused("get_history", {"session_id": session_id})
    assert refused["code"] == "not_member"
    await bob.do("join_session", session_id=session_id)
    assert (await bob.do("get_history", session_id=session_id))["complete"] is True


async def test_a_public_session_is_listed_for_everybody(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, visibility="public", title="Open")
    listed = (await bob.do("list_sessions", scope="public"))["sessions"]
    assert [(s["id"], s["title"], s["role"]) for s in listed] == [(session_id, "Open", None)]
    assert (await bob.do("list_sessions"))["sessions"] == []
    await bob.do("join_session", session_id=session_id)
    assert [s["id"] for s in (await bob.do("list_sessions"))["sessions"]] == [session_id]


async def test_sessions_are_listed_newest_activity_first_with_unread_and_last_message(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    first, second = await session_of(ada, bob), await session_of(ada, bob)
    await ada.say(second, "two")
    last = await ada.say(first, "one")
    await ada.say(first, "one more")
    newest = await ada.say(first, "and more")
    sessions = (await bob.do("list_sessions"))["sessions"]
    assert [s["id"] for s in sessions] == [first, second]
    assert [s["unread"] for s in sessions] == [3, 1]
    assert sessions[0]["last_message"] == newest
    assert sessions[0]["role"] == "member"
    await bob.do("mark_read", session_id=first, seq=last["seq"])
    again = (await bob.do("list_sessions"))["sessions"][0]
    assert (again["unread"], again["read_seq"]) == (2, last["seq"])
    assert [s["unread"] for s in (await ada.do("list_sessions"))["sessions"]] == [0, 0]


async def test_the_list_of_sessions_is_paged_without_doubles_or_holes(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    made = [await session_of(ada) for _ in range(7)]
    seen: list[str] = []
    page: dict[str, Any] = await ada.do("list_sessions", limit=3)
    while True:
        seen += [session["id"] for session in page["sessions"]]
        if page["next"] is None:
            break
        page = await ada.do("list_sessions", limit=3, before=page["next"])
    assert seen == made[::-1]


async def test_changed_settings_are_told_in_full(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    renamed = await ada.do("rename_session", session_id=session_id, title="Tea")
    assert renamed["session"]["title"] == "Tea"
    told = await bob.told("session_updated", title="Tea")
    assert told["data"] == {
        "title": "Tea", "visibility": "link", "reply_policy": "always", "bot": None, "bot_turns": 0,
    }  # fmt: skip
    updated = await ada.do(
        "update_session",
        session_id=session_id,
        visibility="private",
        reply_policy="mention",
        bot="corpus",
        bot_turns=2,
    )
    told = await bob.told("session_updated", bot="corpus")
    assert told["data"] == {
        "title": "Tea", "visibility": "private", "reply_policy": "mention", "bot": "corpus",
        "bot_turns": 2,
    }  # fmt: skip
    assert updated["session"]["last_seq"] == told["seq"]
    joined = await bob.told("participant_joined", role="member", seq=told["seq"] - 1)
    assert joined["data"]["participant"]["kind"] == "bot"


async def test_exchanging_the_bot_is_told_as_leaving_and_joining(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    await ada.do("update_session", session_id=session_id, bot="corpus")
    types = [(e["type"], e["sender"]["name"]) for e in (await log_of(ada, session_id))[-3:]]
    assert types == [
        ("participant_left", "echo"),
        ("participant_joined", "corpus"),
        ("session_updated", "Ada"),
    ]


async def test_who_leaves_is_told_and_hears_nothing_more(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    assert await bob.do("leave_session", session_id=session_id) == {}
    told = await ada.told("participant_left")
    assert told["data"] == {"participant": bob.me}
    heard = len(bob.inbox.about(session_id))
    await ada.say(session_id, "among ourselves")
    await bob.caught_up()
    assert [e for e in bob.inbox.about(session_id)[heard:] if e[0] == "message_created"] == []
    refused = await bob.refused("get_history", {"session_id": session_id})
    assert refused["code"] == "not_member"
    assert (await bob.do("list_sessions"))["sessions"] == []


async def test_who_comes_back_reads_what_was_said_meanwhile(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    await bob.do("leave_session", session_id=session_id)
    missed = await ada.say(session_id, "meanwhile")
    joined = await bob.do("join_session", session_id=session_id)
    assert missed in joined["events"]
    said = await ada.say(session_id, "welcome back")
    assert await bob.told("message_created", text="welcome back") == said


async def test_a_session_whose_owner_left_has_a_new_owner(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, bob, eve)
    await ada.do("leave_session", session_id=session_id)
    assert (await eve.told("participant_left"))["data"]["new_owner"] == bob.me["id"]
    await bob.do("rename_session", session_id=session_id, title="mine now")


async def test_a_deleted_session_is_told_to_its_members_and_gone(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    token = await running.token("Bob")
    ada = await connect(running, "Ada")
    bob, elsewhere = [await connect(running, "Bob", token=token) for _ in range(2)]
    session_id = await session_of(ada, bob)
    assert await ada.do("delete_session", session_id=session_id) == {}
    for member in (ada, bob, elsewhere):
        assert await member.told("session_deleted") == {"session_id": session_id}
        refused = await member.refused("join_session", {"session_id": session_id})
        assert refused["code"] == "not_found"
    assert (await bob.do("list_sessions"))["sessions"] == []
    for member in (ada, bob, elsewhere):
        assert len(member.inbox.all("session_deleted")) == 1


async def test_a_summary_counts_and_quotes(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    empty = (await ada.do("summarize_session", session_id=session_id))["summary"]
    assert (empty["total_messages"], empty["first_message_at"]) == (0, None)
    first = await ada.say(session_id, "The kettle whistles in the kitchen.")
    last = await bob.say(session_id, "The kettle is an old kettle of copper.")
    summary = (await bob.do("summarize_session", session_id=session_id))["summary"]
    assert summary["total_messages"] == 2
    assert summary["messages_by_kind"] == {"user": 2, "bot": 0, "operator": 0}
    by_name = {c["participant"]["name"]: c["messages"] for c in summary["messages_by_participant"]}
    assert by_name == {"Ada": 1, "Bob": 1}
    assert summary["first_message_at"] == first["created_at"]
    assert summary["last_message_at"] == last["created_at"]
    assert summary["topics"]
    assert {h["seq"] for h in summary["highlights"]} <= {first["seq"], last["seq"]}
