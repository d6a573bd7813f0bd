"""Another answer to the same prompt: after a failure, a stop, an edit, or for no reason at all."""

from typing import Any

from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer


async def with_bot(server: StartServer, *others: ScriptedBot) -> tuple[RunningServer, ScriptedBot]:
    bot = ScriptedBot()
    return await server(bots=[bot, *others], default_bot="scripted"), bot


async def answered(member: RawClient, session_id: str, text: str = "hello?") -> dict[str, Any]:
    """The message that answers a new prompt; the bot must have been told what to say."""
    prompt = await member.say(session_id, text)
    return await answer_to(member, prompt["seq"])


async def answer_to(member: RawClient, prompt_seq: int) -> dict[str, Any]:
    finished = await member.told("reply_finished")
    message: dict[str, Any] = await member.told("message_created", seq=finished["seq"])
    assert message["data"]["reply_to"] == prompt_seq
    return message


async def test_what_was_said_before_a_failure_stays_as_a_message(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    prompt = await ada.say(session_id, "hello?")
    bot.say("I was ", "about to").fail()
    failed = await ada.told("reply_failed")
    kept = await ada.told("message_created", seq=failed["seq"] - 1)
    reply_id = failed["data"]["reply_id"]
    assert kept["data"] == {
        "text": "I was about to", "reply_to": prompt["seq"], "reply_id": reply_id, "failed": True,
    }  # fmt: skip
    bot.answers(["Hello."])
    again = await ada.do("retry_reply", session_id=session_id, reply_id=reply_id)
    finished = await ada.told("reply_finished", reply_id=again["reply"]["reply_id"])
    message = await ada.told("message_created", seq=finished["seq"])
    assert (message["data"]["text"], message["data"]["replaces"]) == ("Hello.", kept["seq"])


async def test_a_whole_answer_is_asked_for_again_and_replaced(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    bot.answers(["One.", "Two.", "Three."])
    first = await answered(ada, session_id)
    prompt_seq = first["data"]["reply_to"]
    assert "replaces" not in first["data"]
    before = first
    for text in ("Two.", "Three."):
        await ada.do("retry_reply", session_id=session_id, reply_id=before["data"]["reply_id"])
        after = await answer_to(ada, prompt_seq)
        assert (after["data"]["text"], after["data"]["replaces"]) == (text, before["seq"])
        before = after
    again = {"session_id": session_id, "reply_id": first["data"]["reply_id"]}
    assert (await ada.refused("retry_reply", again))["code"] == "conflict"
    assert [context.prompt.seq for context in bot.contexts] == [prompt_seq] * 3
    assert [message.seq for message in bot.contexts[-1].messages] == [prompt_seq]


async def test_a_deleted_answer_is_not_replaced(server: StartServer, connect: Connect) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    bot.answers(["One.", "Two."])
    first = await answered(ada, session_id)
    await ada.do("delete_message", session_id=session_id, seq=first["seq"])
    await ada.do("retry_reply", session_id=session_id, reply_id=first["data"]["reply_id"])
    second = await answer_to(ada, first["data"]["reply_to"])
    assert "replaces" not in second["data"]


async def test_a_reply_that_has_not_ended_cannot_be_asked_for_again(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    await ada.say(session_id, "hello?")
    reply_id = (await ada.told("reply_started"))["reply_id"]
    retry = {"session_id": session_id, "reply_id": reply_id}
    assert (await ada.refused("retry_reply", retry))["code"] == "conflict"
    bot.end()


async def test_an_edited_prompt_is_answered_again_if_wanted(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    bot.answers(["One.", "Two."])
    first = await answered(ada, session_id, "What is one?")
    seq = first["data"]["reply_to"]
    edit = {"session_id": session_id, "seq": seq}
    unasked = await ada.do("edit_message", **edit, text="What is 1?")
    assert unasked["replies"] == []
    asked = await ada.do("edit_message", **edit, text="What is two?", ask_again=True)
    assert [reply["prompt_seq"] for reply in asked["replies"]] == [seq]
    second = await answer_to(ada, seq)
    assert (second["data"]["text"], second["data"]["replaces"]) == ("Two.", first["seq"])
    assert bot.contexts[-1].prompt.data["text"] == "What is two?"


async def test_an_edit_stops_the_reply_to_the_old_text(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    prompt = await ada.say(session_id, "What is one?")
    bot.say("One is")
    old = await ada.told("reply_delta")
    edit = {"session_id": session_id, "seq": prompt["seq"], "text": "What is two?"}
    asked = await ada.do("edit_message", **edit, ask_again=True)
    stopped = await ada.told("reply_stopped", reply_id=old["reply_id"])
    assert bot.closed == 1
    bot.answers(["Two."])
    finished = await ada.told("reply_finished", reply_id=asked["replies"][0]["reply_id"])
    message = await ada.told("message_created", seq=finished["seq"])
    assert message["data"]["replaces"] == stopped["seq"]


async def test_an_edit_is_seen_by_the_reply_that_still_waits(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    await ada.say(session_id, "first")
    await ada.told("reply_started")
    waiting = await ada.say(session_id, "What is one?")
    edit = {"session_id": session_id, "seq": waiting["seq"], "text": "What is two?"}
    asked = await ada.do("edit_message", **edit, ask_again=True)
    bot.answers(["First.", "Two."])
    await answer_to(ada, waiting["seq"] - 1)
    second = await answer_to(ada, waiting["seq"])
    assert second["data"]["reply_id"] == asked["replies"][0]["reply_id"]
    assert bot.contexts[-1].prompt.data["text"] == "What is two?"


async def test_an_edit_asks_whom_the_new_text_names(server: StartServer, connect: Connect) -> None:
    other = ScriptedBot("other")
    running, bot = await with_bot(server, other)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    await ada.do("add_bot", session_id=session_id, bot="other")
    bot.answers(["Mine."])
    first = await answered(ada, session_id, "Who?")
    other.answers(["Me."])
    seq = first["data"]["reply_to"]
    edit = {"session_id": session_id, "seq": seq, "text": "@other, who?", "ask_again": True}
    asked = await ada.do("edit_message", **edit)
    assert [reply["bot"] for reply in asked["replies"]] == ["other"]
    second = await answer_to(ada, seq)
    assert second["sender"]["name"] == "other"
    assert "replaces" not in second["data"], "what another bot said stays"


async def test_an_edit_that_asks_too_much_changes_nothing(
    server: StartServer, connect: Connect
) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted", replies_per_participant_day=1)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    bot.answers(["One."])
    first = await answered(ada, session_id, "What is one?")
    seq = first["data"]["reply_to"]
    edit = {"session_id": session_id, "seq": seq, "text": "What is two?", "ask_again": True}
    assert (await ada.refused("edit_message", edit))["code"] == "quota_exceeded"
    log = await log_of(ada, session_id)
    assert log[seq - 1]["data"]["text"] == "What is one?"
    assert log[-1]["seq"] == first["seq"]


async def test_an_answer_that_was_cut_short_counts_once_it_is_kept(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="scripted")
    await ada.say(session_id, "hello?")
    bot.say("Half an")
    reply_id = (await ada.told("reply_delta"))["reply_id"]
    await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    seq = (await ada.told("reply_stopped"))["seq"]
    keep = {"session_id": session_id, "seq": seq}
    kept = (await ada.do("keep_message", **keep))["event"]
    assert (kept["type"], kept["data"]) == ("message_kept", {"seq": seq})
    assert await bob.told("message_kept") == kept
    assert (await log_of(bob, session_id))[seq - 1]["data"]["kept"] is True
    assert (await ada.refused("keep_message", keep))["code"] == "conflict"
    bot.answers(["Whole."])
    whole = await answered(ada, session_id)
    assert [m.data.get("kept") for m in bot.contexts[-1].messages] == [None, True, None]
    for other, code in ((whole["seq"], "conflict"), (seq + 1, "not_found")):
        refused = await ada.refused("keep_message", {"session_id": session_id, "seq": other})
        assert refused["code"] == code


async def test_what_was_asked_for_again_takes_no_place_among_what_a_bot_sees(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    bot.answers(["Poem 1", "Poem 2", "Poem 3", "Poem 4", "Shorter."])
    poem = await answered(ada, session_id, "I am Ada. A poem, please.")
    for _ in range(3):
        await ada.do("retry_reply", session_id=session_id, reply_id=poem["data"]["reply_id"])
        poem = await answer_to(ada, poem["data"]["reply_to"])
    await answered(ada, session_id, "Shorter, please.")
    seen = [message.data["text"] for message in bot.contexts[-1].messages]
    assert seen == ["I am Ada. A poem, please.", "Poem 4", "Shorter, please."]


async def test_a_prompt_that_did_not_wait_for_the_answer_before_it_is_answered_with_it_in_view(
    server: StartServer, connect: Connect
) -> None:
    running, bot = await with_bot(server)
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    first = await ada.say(session_id, "One?")
    second = await ada.say(session_id, "Two?")
    bot.answers(["One.", "Two."])
    for prompt in (first, second):
        await answer_to(ada, prompt["seq"])
    seen = [message.data["text"] for message in bot.contexts[-1].messages]
    assert seen == ["One?", "One.", "Two?"]
