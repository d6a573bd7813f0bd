"""Replies: streamed by offset, ended once, stopped, retried, switched off."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatserver.app import SERVER
from chatserver.bots.echo import EchoBot
from chatserver.chat.ports import BotError, ReplyContext
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.protocol.people import LONG, log_of, session_of, texts_of
from tests.servers import StartServer
from tests.waiting import eventually


async def test_a_prompt_is_answered_piece_by_piece_and_then_by_a_message(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=100)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    prompt_text = "zwölf 🎈 Ballons " * 10 + "Ende"
    prompt = await ada.say(session_id, prompt_text)
    started = await ada.told("reply_started")
    assert (started["session_id"], started["prompt_seq"]) == (session_id, prompt["seq"])
    assert (started["attempt"], started["bot"]["name"]) == (1, "echo")
    finished = await ada.told("reply_finished", reply_id=started["reply_id"])
    text = ""
    deltas = ada.inbox.all("reply_delta")
    for delta in deltas:
        assert delta["reply_id"] == started["reply_id"]
        assert (delta["session_id"], delta["attempt"]) == (session_id, 1)
        assert delta["offset"] == len(text), "offsets count code points"
        text += delta["text"]
    assert len(deltas) > 1
    assert text == prompt_text
    message = await ada.told("message_created", seq=finished["seq"])
    assert message["sender"] == started["bot"]
    assert message["data"] == {
        "text": prompt_text, "reply_to": prompt["seq"], "reply_id": started["reply_id"],
    }  # fmt: skip
    names = [name for name, _ in ada.inbox.everything if name.startswith("reply_")]
    assert names[0] == "reply_started"
    assert names[-1] == "reply_finished"
    order = [
        (name, payload.get("reply_id") or payload.get("data", {}).get("reply_id"))
        for name, payload in ada.inbox.everything
    ]
    assert order.index(("message_created", started["reply_id"])) < order.index(
        ("reply_finished", started["reply_id"])
    )


async def test_prompts_of_one_session_are_answered_in_order_and_each_once(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    prompts = [await ada.say(session_id, f"question {n}") for n in range(10)]
    for _ in prompts:
        await ada.told("reply_finished")
    answers = [e for e in await log_of(ada, session_id) if "reply_id" in e["data"]]
    assert [a["data"]["reply_to"] for a in answers] == [p["seq"] for p in prompts]
    assert [a["data"]["text"] for a in answers] == [f"question {n}" for n in range(10)]


async def test_a_repeated_prompt_is_answered_once(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    payload = {"session_id": session_id, "text": "once?", "client_message_id": "one"}
    for _ in range(3):
        await ada.do("send_message", **payload)
    await ada.say(session_id, "the end")
    for _ in range(2):
        await ada.told("reply_finished")
    said = await texts_of(ada, session_id)
    assert sorted(said) == ["once?", "once?", "the end", "the end"], "each and its echo"


async def test_a_stopped_reply_keeps_what_was_said_and_is_marked(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=60)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="echo")
    prompt = await ada.say(session_id, LONG)
    reply_id = (await ada.told("reply_started"))["reply_id"]
    await ada.told("reply_delta")
    acked = await bob.do("stop_reply", session_id=session_id, reply_id=reply_id)
    assert acked["reply"]["reply_id"] == reply_id
    stopped = await ada.told("reply_stopped", reply_id=reply_id)
    message = await ada.told("message_created", reply_id=reply_id)
    assert message["seq"] == stopped["seq"]
    assert message["data"]["stopped"] is True
    assert message["data"]["reply_to"] == prompt["seq"]
    assert LONG.startswith(message["data"]["text"])
    assert len(message["data"]["text"]) < len(LONG)
    again = await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    assert again["reply"]["state"] == "stopped"
    assert again["reply"]["result_seq"] == stopped["seq"]
    assert ada.inbox.all("reply_finished") == []


async def test_a_reply_stopped_while_it_waits_says_nothing(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=60)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    await ada.say(session_id, LONG)
    first = (await ada.told("reply_started"))["reply_id"]
    await ada.do("stop_reply", session_id=session_id, reply_id=first)
    await ada.told("reply_stopped", reply_id=first)
    busy = await ada.say(session_id, LONG)
    await ada.told("reply_started", prompt_seq=busy["seq"])
    waiting = (await ada.do("retry_reply", session_id=session_id, reply_id=first))["reply"]
    assert waiting["state"] == "queued"
    target = {"session_id": session_id, "reply_id": waiting["reply_id"]}
    assert (await ada.do("stop_reply", **target))["reply"]["state"] == "stopped"
    told = await ada.told("reply_stopped", reply_id=waiting["reply_id"])
    assert told["seq"] is None
    await ada.told("reply_finished")
    assert ada.inbox.all("reply_started", reply_id=waiting["reply_id"]) == []


async def test_a_stopped_reply_is_retried_as_a_new_one_once(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=60)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    prompt = await ada.say(session_id, " ".join(["word"] * 30))
    old = (await ada.told("reply_started"))["reply_id"]
    await ada.told("reply_delta")
    await ada.do("stop_reply", session_id=session_id, reply_id=old)
    await ada.told("reply_stopped")
    retry = {"session_id": session_id, "reply_id": old}
    new = (await ada.do("retry_reply", **retry))["reply"]
    assert new["reply_id"] != old
    assert new["prompt_seq"] == prompt["seq"]
    assert (await ada.refused("retry_reply", retry))["code"] == "conflict"
    finished = await ada.told("reply_finished", reply_id=new["reply_id"])
    message = await ada.told("message_created", seq=finished["seq"])
    assert message["data"]["text"] == prompt["data"]["text"]
    assert (await ada.refused("retry_reply", retry))["code"] == "conflict"


async def test_a_failing_bot_is_told_durably_and_can_be_asked_again(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = EchoBot.reply

    async def fail(_self: EchoBot, context: ReplyContext) -> AsyncIterator[str]:
        for _ in context.messages:
            raise BotError("bot_unavailable", "the bot is out for tea", retryable=True)
        yield ""

    monkeypatch.setattr(EchoBot, "reply", fail)
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    prompt = await ada.say(session_id, "hello?")
    failed = await ada.told("reply_failed")
    assert failed["sender"]["name"] == "echo"
    assert failed["data"] == {
        "reply_id": failed["data"]["reply_id"],
        "prompt_seq": prompt["seq"],
        "code": "bot_unavailable",
        "message": "the bot is out for tea",
        "retryable": True,
    }
    assert (await log_of(ada, session_id))[-1] == failed
    monkeypatch.setattr(EchoBot, "reply", works)
    again = await ada.do("retry_reply", session_id=session_id, reply_id=failed["data"]["reply_id"])
    await ada.told("reply_finished", reply_id=again["reply"]["reply_id"])


async def test_a_crashing_bot_fails_its_reply_without_telling_why(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_self: EchoBot, _context: ReplyContext) -> AsyncIterator[str]:
        yield "so far so "
        raise RuntimeError("the secret cause")

    monkeypatch.setattr(EchoBot, "reply", crash)
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    await ada.say(session_id, "hello?")
    failed = await ada.told("reply_failed")
    assert "secret" not in str(failed)
    said = [e["data"] for e in ada.inbox.all("message_created") if "reply_id" in e["data"]]
    assert [(data["text"], data["failed"]) for data in said] == [("so far so ", True)]


async def test_a_member_looks_up_how_a_reply_stands(server: StartServer, connect: Connect) -> None:
    bot = ScriptedBot("bot")
    running = await server(bots=[bot], default_bot="bot")
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="bot")
    prompt = await ada.say(session_id, "Tea?")
    first = (await ada.told("reply_started"))["reply_id"]

    async def found(**which: Any) -> Any:
        return (await bob.do("get_reply", session_id=session_id, **which))["reply"]

    assert (await found(reply_id=first))["state"] == "running"
    await ada.do("stop_reply", session_id=session_id, reply_id=first)
    assert (await ada.told("reply_stopped"))["seq"] is None
    stopped = await found(reply_id=first)
    assert (stopped["state"], stopped["message"]) == ("stopped", None)
    again = await ada.do("retry_reply", session_id=session_id, reply_id=first)
    bot.answers(["yes"])
    await ada.told("reply_finished")
    for which in ({"prompt_seq": prompt["seq"]}, {"prompt_seq": prompt["seq"], "bot": "bot"}):
        newest = await found(**which)
        assert newest["reply_id"] == again["reply"]["reply_id"]
        assert newest["message"]["data"]["text"] == "yes"
    assert await found(prompt_seq=prompt["seq"], bot="nobody") is None
    assert await found(reply_id=first) == stopped
    eve = await connect(running, "Eve")
    target = {"session_id": session_id, "reply_id": first}
    assert (await eve.refused("get_reply", target))["code"] == "not_member"


async def test_an_unknown_reply_is_not_found(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada = await connect(running)
    session_id = await session_of(ada)
    elsewhere = await session_of(ada, bot="echo")
    await ada.say(elsewhere, "hello")
    of_other = (await ada.told("reply_started"))["reply_id"]
    for event in ("get_reply", "stop_reply", "retry_reply"):
        for reply_id in ("nothing", of_other):
            payload = {"session_id": session_id, "reply_id": reply_id}
            assert (await ada.refused(event, payload))["code"] == "not_found"


@pytest.mark.parametrize(
    ("policy", "text", "answered"),
    [
        ("always", "hello", True),
        ("mention", "hello", False),
        ("mention", "hello @Echo!", True),
        ("off", "hello @echo", False),
    ],
)
async def test_the_reply_policy_decides_who_is_answered(
    server: StartServer, connect: Connect, policy: str, text: str, answered: bool
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo", reply_policy=policy)
    prompt = await ada.say(session_id, text)
    # What follows is answered for certain, and in order: so by then the first one was, or was not.
    await ada.do("update_session", session_id=session_id, reply_policy="mention")
    sure = await ada.say(session_id, "@echo are you there?")
    await ada.told("reply_started", prompt_seq=sure["seq"])
    started = ada.inbox.all("reply_started", prompt_seq=prompt["seq"])
    assert len(started) == int(answered)


async def test_switching_the_bot_off_ends_a_running_reply_without_a_message(
    server: StartServer, connect: Connect
) -> None:
    running = await server(words_per_second=40)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    await ada.say(session_id, " ".join(["word"] * 40))
    await ada.told("reply_delta")
    await ada.do("update_session", session_id=session_id, reply_policy="off")
    stopped: dict[str, Any] = await ada.told("reply_stopped")
    assert stopped["seq"] is None
    assert len(await texts_of(ada, session_id)) == 1


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("update_session", {"reply_policy": "off"}),
        ("update_session", {"bot": "corpus"}),
        ("remove_bot", {"bot": "scripted"}),
        ("delete_session", {}),
    ],
    ids=["switched off", "exchanged", "removed", "deleted"],
)
async def test_a_bot_that_is_no_longer_to_be_heard_falls_silent_at_once(
    server: StartServer, connect: Connect, event: str, change: dict[str, Any]
) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot, EchoBot(100), ScriptedBot("corpus")], default_bot="scripted")
    ada = await connect(running)
    session_id = await session_of(ada, bot="scripted")
    for question in ("one?", "two?"):
        await ada.say(session_id, question)
    bot.say("I am about")
    await ada.told("reply_delta")
    await ada.do(event, session_id=session_id, **change)
    await eventually(lambda: bot.closed == 1, within=1.0)
    bot.answers(["too late", "too late"])
    if event != "delete_session":
        for _ in range(2):
            assert (await ada.told("reply_stopped"))["seq"] is None
        assert await texts_of(ada, session_id) == ["one?", "two?"]
    assert len(bot.contexts) == 1, "the second was never asked"
    states = running.app[SERVER].metrics.registry
    done = {"bot": "scripted", "state": "done"}
    assert states.get_sample_value("chatserver_replies_total", done) is None


async def test_sessions_are_answered_side_by_side(server: StartServer, connect: Connect) -> None:
    running = await server(words_per_second=30)
    ada = await connect(running)
    slow, quick = await session_of(ada, bot="echo"), await session_of(ada, bot="echo")
    await ada.say(slow, LONG)
    await ada.told("reply_delta", session_id=slow)
    await ada.say(quick, "short")
    await ada.told("reply_finished", session_id=quick)
    assert ada.inbox.all("reply_finished", session_id=slow) == []
