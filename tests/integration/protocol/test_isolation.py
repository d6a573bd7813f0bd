"""Nobody receives or reads anything of a session they may not see (G5)."""

import pytest

from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.integration.protocol.test_acks import OF_A_SESSION, VALID
from tests.servers import StartServer


@pytest.mark.parametrize("event", OF_A_SESSION)
async def test_a_private_session_does_not_exist_for_others(
    server: StartServer, connect: Connect, event: str
) -> None:
    running = await server()
    ada, eve = await connect(running, "Ada"), await connect(running, "Eve")
    session_id = await session_of(ada, visibility="private")
    real = await eve.refused(event, {**VALID[event], "session_id": session_id})
    imagined = await eve.refused(event, {**VALID[event], "session_id": "imagined"})
    assert real == imagined
    assert real["code"] == "not_found"


@pytest.mark.parametrize("event", sorted(set(OF_A_SESSION) - {"join_session"}))
@pytest.mark.parametrize("visibility", ["link", "public"])
async def test_a_session_that_may_be_joined_must_be_joined_first(
    server: StartServer, connect: Connect, event: str, visibility: str
) -> None:
    running = await server()
    ada, eve = await connect(running, "Ada"), await connect(running, "Eve")
    session_id = await session_of(ada, visibility=visibility)
    error = await eve.refused(event, {**VALID[event], "session_id": session_id})
    assert error["code"] == "not_member"


async def test_who_is_no_member_receives_nothing_whatever_happens(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, bob, bot="echo", visibility="link")
    said = await ada.say(session_id, "a secret")
    await ada.told("reply_finished")
    await ada.do("set_typing", session_id=session_id, typing=True)
    await bob.do("mark_read", session_id=session_id, seq=said["seq"])
    await ada.do("edit_message", session_id=session_id, seq=said["seq"], text="another secret")
    await ada.do("rename_session", session_id=session_id, title="secrets")
    await bob.do("leave_session", session_id=session_id)
    await ada.do("delete_session", session_id=session_id)
    await ada.told("session_deleted")
    await eve.caught_up()
    assert eve.inbox.about(session_id) == []
    assert "secret" not in str(eve.inbox.everything)


async def test_a_member_who_did_not_join_on_this_connection_receives_nothing_live(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    token = await running.token("Bob")
    ada = await connect(running, "Ada")
    desk, phone = await connect(running, token=token), await connect(running, token=token)
    session_id = await session_of(ada, desk)
    await ada.say(session_id, "hello")
    await desk.told("message_created")
    await phone.caught_up()
    assert phone.inbox.all("message_created") == []


async def test_making_a_session_private_keeps_newcomers_out(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, eve = await connect(running, "Ada"), await connect(running, "Eve")
    session_id = await session_of(ada, visibility="public")
    await ada.do("update_session", session_id=session_id, visibility="private")
    assert (await eve.refused("join_session", {"session_id": session_id}))["code"] == "not_found"
    assert (await eve.do("list_sessions", scope="public"))["sessions"] == []
