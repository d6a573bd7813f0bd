"""Who is here, who writes, who has read what."""

from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.servers import StartServer


async def test_presence_changes_with_the_first_and_the_last_connection_only(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada = await connect(running, "Ada")
    token = await running.token("Bob")
    desk, phone = await connect(running, token=token), await connect(running, token=token)
    session_id = await session_of(ada, desk)
    here = await ada.told("presence_changed")
    assert here == {"session_id": session_id, "participant": desk.me, "online": True}
    await phone.do("join_session", session_id=session_id)
    await desk.close()
    await phone.close()
    gone = await ada.told("presence_changed")
    assert gone == {"session_id": session_id, "participant": desk.me, "online": False}
    assert len(ada.inbox.all("presence_changed", participant=desk.me)) == 2


async def test_leaving_ends_presence(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    await ada.told("presence_changed", online=True, participant=bob.me)
    await bob.do("leave_session", session_id=session_id)
    await ada.told("presence_changed", online=False, participant=bob.me)


async def test_typing_is_told_to_the_others(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    assert await ada.do("set_typing", session_id=session_id, typing=True) == {}
    told = await bob.told("typing_changed")
    assert told == {"session_id": session_id, "participant": ada.me, "typing": True}
    await ada.do("set_typing", session_id=session_id, typing=False)
    assert (await bob.told("typing_changed"))["typing"] is False


async def test_typing_ends_by_itself(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    await ada.do("set_typing", session_id=session_id, typing=True)
    await bob.told("typing_changed", typing=True)
    await bob.told("typing_changed", typing=False, participant=ada.me)


async def test_typing_ends_with_the_connection(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    await ada.do("set_typing", session_id=session_id, typing=True)
    await bob.told("typing_changed", typing=True)
    await ada.close()
    await bob.told("typing_changed", typing=False, participant=ada.me)


async def test_read_marks_are_told_and_never_go_back(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    said = [await ada.say(session_id, f"message {n}") for n in range(3)]
    marked = await bob.do("mark_read", session_id=session_id, seq=said[1]["seq"])
    assert marked == {"seq": said[1]["seq"]}
    told = await ada.told("read_changed")
    assert told == {
        "session_id": session_id, "participant_id": bob.me["id"], "seq": said[1]["seq"],
    }  # fmt: skip
    assert await bob.do("mark_read", session_id=session_id, seq=1) == {"seq": said[1]["seq"]}
    ahead = await bob.do("mark_read", session_id=session_id, seq=10_000)
    assert ahead == {"seq": said[2]["seq"]}
