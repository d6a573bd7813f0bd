"""Sending, repeating, editing, deleting and paging messages."""

import asyncio

import pytest

from tests.conftest import Connect
from tests.integration.protocol.people import log_of, session_of, texts_of
from tests.servers import StartServer


async def test_an_acked_message_is_the_event_that_all_members_receive(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    sent = await ada.do(
        "send_message", session_id=session_id, text="Grüße 🎈", client_message_id="one"
    )
    message = sent["message"]
    assert sent["duplicate"] is False
    assert message["session_id"] == session_id
    assert message["type"] == "message_created"
    assert message["sender"] == ada.me
    assert message["data"] == {"text": "Grüße 🎈", "client_message_id": "one"}
    assert await ada.told("message_created") == message
    assert await bob.told("message_created") == message
    assert (await log_of(bob, session_id))[-1] == message


async def test_a_reply_to_another_message_carries_its_seq(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    first = await ada.say(session_id, "question")
    answer = await ada.say(session_id, "answer", reply_to=first["seq"])
    assert answer["data"]["reply_to"] == first["seq"]


async def test_pipelined_events_of_one_client_take_effect_in_the_order_sent(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    acks = await asyncio.gather(*[ada.say(session_id, f"message {n}") for n in range(50)])
    seqs = [ack["seq"] for ack in acks]
    assert seqs == list(range(seqs[0], seqs[0] + 50))
    for n in range(50):
        assert (await bob.told("message_created"))["data"]["text"] == f"message {n}"


async def test_different_pipelined_events_take_effect_in_the_order_sent(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    calls = []
    for n in range(10):
        calls.append(ada.say(session_id, f"before {n}"))
        calls.append(ada.do("rename_session", session_id=session_id, title=f"title {n}"))
    await asyncio.gather(*calls)
    log = (await log_of(ada, session_id))[1:]
    told = [e["data"].get("text") or e["data"].get("title") for e in log]
    assert told == [text for n in range(10) for text in (f"before {n}", f"title {n}")]


async def test_every_member_receives_every_event_once_in_order_while_all_send(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    people = [await connect(running, f"P{n}") for n in range(12)]
    session_id = await session_of(*people)
    await asyncio.gather(
        *[person.say(session_id, f"{person.name} {n}") for person in people for n in range(20)]
    )
    for person in people:
        await person.caught_up()
        seqs = [e["seq"] for e in person.inbox.all("message_created")]
        assert seqs == list(range(seqs[0], seqs[0] + 240))


async def test_send_message_twice_with_the_same_id_returns_the_first_ack(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    payload = {"session_id": session_id, "text": "once", "client_message_id": "one"}
    first = await ada.do("send_message", **payload)
    second = await ada.do("send_message", **payload)
    assert second == {"message": first["message"], "duplicate": True}
    await bob.caught_up()
    assert len(bob.inbox.all("message_created")) == 1
    assert await texts_of(bob, session_id) == ["once"]


async def test_the_same_id_sent_at_once_is_stored_once(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    token = await running.token()
    desk, phone = await connect(running, token=token), await connect(running, token=token)
    session_id = await session_of(desk, phone)
    payload = {"session_id": session_id, "text": "once", "client_message_id": "one"}
    acks = await asyncio.gather(*[c.do("send_message", **payload) for c in [desk, phone] * 10])
    assert {ack["message"]["seq"] for ack in acks} == {acks[0]["message"]["seq"]}
    assert [ack["duplicate"] for ack in acks].count(False) == 1
    assert await texts_of(desk, session_id) == ["once"]


async def test_the_same_id_with_another_body_is_a_conflict(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    first = await ada.do("send_message", session_id=session_id, text="one", client_message_id="id")
    other_text = {"session_id": session_id, "text": "two", "client_message_id": "id"}
    assert (await ada.refused("send_message", other_text))["code"] == "conflict"
    other_target = {**other_text, "text": "one", "reply_to": first["message"]["seq"]}
    assert (await ada.refused("send_message", other_target))["code"] == "conflict"
    assert await texts_of(ada, session_id) == ["one"]


async def test_the_same_id_of_two_people_is_two_messages(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    for person in (ada, bob):
        await person.do("send_message", session_id=session_id, text="hi", client_message_id="same")
    assert await texts_of(ada, session_id) == ["hi", "hi"]


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u3000"], ids=repr)
async def test_blank_text_is_refused_and_nobody_hears_of_it(
    server: StartServer, connect: Connect, text: str
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    payload = {"session_id": session_id, "text": text, "client_message_id": "a"}
    assert (await ada.refused("send_message", payload))["code"] == "blank_text"
    said = await ada.say(session_id, "text")
    error = await ada.refused(
        "edit_message", {"session_id": session_id, "seq": said["seq"], "text": text}
    )
    assert error["code"] == "blank_text"
    await bob.caught_up()
    assert len(bob.inbox.all("message_created")) == 1


async def test_an_edited_message_shows_its_new_text_everywhere(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    said = await ada.say(session_id, "tee")
    edited = await ada.do("edit_message", session_id=session_id, seq=said["seq"], text="tea")
    told = await bob.told("message_edited")
    assert told == edited["event"]
    assert told["seq"] == said["seq"] + 1
    assert (told["data"]["seq"], told["data"]["text"]) == (said["seq"], "tea")
    message = (await log_of(bob, session_id))[said["seq"] - 1]
    assert message["data"]["text"] == "tea"
    assert message["data"]["edited_at"] == told["data"]["edited_at"]


async def test_an_edited_message_repeated_with_its_first_text_is_a_duplicate(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    payload = {"session_id": session_id, "text": "first", "client_message_id": "one"}
    said = (await ada.do("send_message", **payload))["message"]
    await ada.do("edit_message", session_id=session_id, seq=said["seq"], text="second")
    again = await ada.do("send_message", **payload)
    assert (again["duplicate"], again["message"]["seq"]) == (True, said["seq"])


async def test_the_text_of_a_deleted_message_is_erased_everywhere(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    said = await ada.say(session_id, "my secret")
    await ada.do("edit_message", session_id=session_id, seq=said["seq"], text="my other secret")
    deleted = await ada.do("delete_message", session_id=session_id, seq=said["seq"])
    told = await bob.told("message_deleted")
    assert told == deleted["event"]
    assert told["data"]["seq"] == said["seq"]
    log = await log_of(bob, session_id)
    assert "secret" not in str(log)
    assert log[said["seq"] - 1]["data"]["text"] == ""
    assert log[said["seq"] - 1]["data"]["deleted_at"] == told["data"]["deleted_at"]
    edit = next(e for e in log if e["type"] == "message_edited")
    assert edit["data"]["text"] == ""
    assert "secret" not in str(await bob.do("join_session", session_id=session_id))
    assert "secret" not in str(await bob.do("list_sessions"))
    assert "secret" not in str(await bob.do("summarize_session", session_id=session_id))


async def test_a_deleted_message_can_be_changed_no_more(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    said = await ada.say(session_id, "gone")
    target = {"session_id": session_id, "seq": said["seq"]}
    await ada.do("delete_message", **target)
    assert (await ada.refused("edit_message", {**target, "text": "x"}))["code"] == "conflict"
    assert (await ada.refused("delete_message", target))["code"] == "conflict"


async def test_messages_of_others_are_edited_by_nobody_and_deleted_by_the_owner(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    of_ada, of_bob = await ada.say(session_id, "a"), await bob.say(session_id, "b")
    edit = {"session_id": session_id, "seq": of_bob["seq"], "text": "x"}
    assert (await ada.refused("edit_message", edit))["code"] == "forbidden"
    delete = {"session_id": session_id, "seq": of_ada["seq"]}
    assert (await bob.refused("delete_message", delete))["code"] == "forbidden"
    await ada.do("delete_message", session_id=session_id, seq=of_bob["seq"])
    assert await texts_of(bob, session_id) == ["a", ""]


async def test_what_is_no_message_cannot_be_edited_or_deleted(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    for seq in (1, 99):
        target = {"session_id": session_id, "seq": seq}
        assert (await ada.refused("edit_message", {**target, "text": "x"}))["code"] == "not_found"
        assert (await ada.refused("delete_message", target))["code"] == "not_found"


async def test_history_is_paged_in_both_directions_without_doubles_or_holes(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    for n in range(22):
        await ada.say(session_id, f"message {n}")
    page = await ada.do("get_history", session_id=session_id, limit=5)
    assert [e["seq"] for e in page["events"]] == [19, 20, 21, 22, 23]
    back, pages = page["events"], 1
    while not page["complete"]:
        page = await ada.do(
            "get_history", session_id=session_id, before_seq=back[0]["seq"], limit=5
        )
        back, pages = page["events"] + back, pages + 1
    assert pages == 5
    assert [e["seq"] for e in back] == list(range(1, 24))
    assert await log_of(ada, session_id) == back
    ahead = await ada.do("get_history", session_id=session_id, after_seq=3, limit=4)
    assert [e["seq"] for e in ahead["events"]] == [4, 5, 6, 7]
    assert ahead["complete"] is False
    beyond = await ada.do("get_history", session_id=session_id, after_seq=5000)
    assert beyond == {"events": [], "complete": True}
    exact = await ada.do("get_history", session_id=session_id, before_seq=4, limit=3)
    assert ([e["seq"] for e in exact["events"]], exact["complete"]) == ([1, 2, 3], True)
