"""Several bots in one session: added, removed, exchanged."""

from chatserver.chat.bots import bot_participant
from chatserver.chat.ports import Bot
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.protocol.bots import SayingBot
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import StartServer


async def bots_of(member: RawClient, session_id: str) -> list[str]:
    members = (await member.do("join_session", session_id=session_id))["members"]
    bots = [each["participant"] for each in members if each["participant"]["kind"] == "bot"]
    return sorted(bot["name"] for bot in bots)


async def test_a_bot_is_added_and_removed_as_a_member(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    added = (await ada.do("add_bot", session_id=session_id, bot="corpus"))["session"]
    joined = await ada.told("participant_joined", seq=added["last_seq"])
    assert (joined["data"]["participant"]["name"], added["bot"]) == ("corpus", "echo")
    assert await bots_of(ada, session_id) == ["corpus", "echo"]
    removed = (await ada.do("remove_bot", session_id=session_id, bot="corpus"))["session"]
    left = await ada.told("participant_left", seq=removed["last_seq"])
    assert (left["data"]["participant"], removed["bot"]) == (joined["data"]["participant"], "echo")
    assert await bots_of(ada, session_id) == ["echo"]


async def test_adding_a_member_or_removing_none_changes_nothing(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    log = await log_of(ada, session_id)
    await ada.do("add_bot", session_id=session_id, bot="echo")
    await ada.do("remove_bot", session_id=session_id, bot="corpus")
    assert await log_of(ada, session_id) == log


async def test_an_unknown_bot_is_refused_by_name(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    for event in ("add_bot", "remove_bot"):
        error = await ada.refused(event, {"session_id": session_id, "bot": "hal"})
        assert (error["code"], error["field"]) == ("unknown_bot", "bot")


async def test_removing_the_sessions_own_bot_leaves_nobody_to_answer(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    await ada.do("add_bot", session_id=session_id, bot="corpus")
    await ada.do("remove_bot", session_id=session_id, bot="echo")
    left, updated = (await log_of(ada, session_id))[-2:]
    assert (left["type"], left["sender"]["name"]) == ("participant_left", "echo")
    assert (updated["type"], updated["data"]["bot"]) == ("session_updated", None)
    assert await bots_of(ada, session_id) == ["corpus"]


async def test_a_member_may_become_the_sessions_own_bot_without_joining_again(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada, bot="echo")
    await ada.do("add_bot", session_id=session_id, bot="corpus")
    await ada.do("update_session", session_id=session_id, bot="corpus")
    types = [(e["type"], e["sender"]["name"]) for e in (await log_of(ada, session_id))[-2:]]
    assert types == [("participant_left", "echo"), ("session_updated", "Ada")]
    assert await bots_of(ada, session_id) == ["corpus"]


async def test_only_who_may_change_the_bot_may_add_or_remove_one(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada, bob, eve = [await connect(running, name) for name in ("Ada", "Bob", "Eve")]
    session_id = await session_of(ada, bob)
    for event in ("add_bot", "remove_bot"):
        payload = {"session_id": session_id, "bot": "echo"}
        assert (await bob.refused(event, payload))["code"] == "forbidden"
        assert (await eve.refused(event, payload))["code"] == "not_member"


async def test_more_bots_than_allowed_are_refused(server: StartServer, connect: Connect) -> None:
    bots: list[Bot] = [SayingBot(name) for name in ("one", "two", "three")]
    ada = await connect(await server(bots=bots, bots_per_session=2, default_bot="one"))
    session_id = await session_of(ada, bot="one")
    await ada.do("add_bot", session_id=session_id, bot="two")
    third = {"session_id": session_id, "bot": "three"}
    assert (await ada.refused("add_bot", third))["code"] == "too_many_bots"
    await ada.do("update_session", **third)
    assert await bots_of(ada, session_id) == ["three", "two"]


async def test_each_mentioned_bot_answers_in_the_order_of_mention(
    server: StartServer, connect: Connect
) -> None:
    bots: list[Bot] = [SayingBot(name, f"I am {name}") for name in ("one", "two", "three", "four")]
    ada = await connect(await server(bots=bots, default_bot="one"))
    session_id = await session_of(ada, bot="one")
    for bot in ("two", "three", "four"):
        await ada.do("add_bot", session_id=session_id, bot=bot)
    prompt = await ada.say(session_id, "@three, @TWO and @three, then @one; not @four")
    for _ in range(3):
        await ada.told("reply_finished")
    await ada.say(session_id, "nobody in particular")
    await ada.told("reply_finished")
    answers = [e for e in await log_of(ada, session_id) if "reply_id" in e["data"]]
    assert [a["data"]["text"] for a in answers] == [
        "I am three", "I am two", "I am one", "I am one",
    ]  # fmt: skip
    assert [a["data"]["reply_to"] for a in answers[:3]] == [prompt["seq"]] * 3
    assert len({a["data"]["reply_id"] for a in answers}) == 4


async def test_who_is_no_member_is_not_asked_by_name(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server(bots=[SayingBot("one"), SayingBot("two")], default_bot="one"))
    session_id = await session_of(ada, bot="one", reply_policy="mention")
    await ada.say(session_id, "hello @two")
    sure = await ada.say(session_id, "hello @one")
    await ada.told("reply_finished")
    assert [s["prompt_seq"] for s in ada.inbox.all("reply_started")] == [sure["seq"]]


async def test_each_of_several_replies_is_stopped_and_retried_for_itself(
    server: StartServer, connect: Connect
) -> None:
    one, two = ScriptedBot("one"), ScriptedBot("two")
    ada = await connect(await server(bots=[one, two], default_bot="one"))
    session_id = await session_of(ada, bot="one")
    await ada.do("add_bot", session_id=session_id, bot="two")
    await ada.say(session_id, "@two and @one")
    two.fail()
    failed = await ada.told("reply_failed")
    assert failed["sender"]["name"] == "two"
    started = await ada.told("reply_started", bot=bot_participant("one").wire())
    target = {"session_id": session_id, "reply_id": started["reply_id"]}
    await ada.do("stop_reply", **target)
    await ada.told("reply_stopped", reply_id=started["reply_id"])
    for reply_id, bot in ((failed["data"]["reply_id"], two), (started["reply_id"], one)):
        bot.say("at last").end()
        retry = {"session_id": session_id, "reply_id": reply_id}
        again = (await ada.do("retry_reply", **retry))["reply"]
        assert again["bot"] == bot.info.name
        await ada.told("reply_finished", reply_id=again["reply_id"])
        assert (await ada.refused("retry_reply", retry))["code"] == "conflict"
