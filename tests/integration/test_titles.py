"""Titles that sessions get by themselves, as their members see it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatserver.testing import Behaviour, ScriptedBot, Silence, bad_request, server_error
from tests.conftest import Connect
from tests.integration.models import Writer, writes
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import StartServer
from tests.waiting import eventually


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    writer = Writer()
    async with writer.model:
        yield writer


async def exchange(ada: RawClient, session_id: str, text: str) -> None:
    """A message and the answer to it; whoever names sessions has heard of it afterwards."""
    prompt = await ada.say(session_id, text)
    answer = await ada.told("message_created", reply_to=prompt["seq"])
    await ada.told("reply_finished", seq=answer["seq"])


async def title_of(member: RawClient, session_id: str) -> str:
    listed = (await member.do("list_sessions"))["sessions"]
    return str(next(session["title"] for session in listed if session["id"] == session_id))


async def titles_settled() -> None:
    """Until no session is being named."""
    await eventually(
        lambda: not any(task.get_name() == "session-title" for task in asyncio.all_tasks())
    )


async def test_the_first_exchange_gives_a_session_its_title(
    server: StartServer, connect: Connect
) -> None:
    running = await server(titles=True)
    ada, bob = await connect(running), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="echo")
    await exchange(ada, session_id, "**How** do I cook rice? I am hungry.")
    for member in (ada, bob):
        event = await member.told("session_updated", session_id=session_id)
        assert event["data"]["title"] == "How do I cook rice?"
        assert event["sender"]["kind"] == "bot"
        assert event["data"]["bot"] == "echo"
    assert await title_of(bob, session_id) == "How do I cook rice?"
    log = await log_of(ada, session_id)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))


async def test_one_title_is_enough(server: StartServer, connect: Connect) -> None:
    running = await server(titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    await exchange(ada, session_id, "First things first")
    await ada.told("session_updated")
    await exchange(ada, session_id, "Second thoughts")
    await titles_settled()
    assert await title_of(ada, session_id) == "First things first"
    assert len(ada.inbox.all("session_updated")) == 1


async def test_a_persons_title_stays(server: StartServer, connect: Connect) -> None:
    running = await server(titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo", title="Mine")
    await exchange(ada, session_id, "Something else")
    await titles_settled()
    assert await title_of(ada, session_id) == "Mine"
    assert ada.inbox.all("session_updated") == []


async def test_titles_can_be_switched_off(server: StartServer, connect: Connect) -> None:
    running = await server(titles=False)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    await exchange(ada, session_id, "Something")
    await titles_settled()
    assert await title_of(ada, session_id) == ""


async def test_a_message_that_says_nothing_gives_no_title_and_the_next_one_does_not_either(
    server: StartServer, connect: Connect
) -> None:
    running = await server(titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    await exchange(ada, session_id, "?!")
    await titles_settled()
    assert await title_of(ada, session_id) == ""


async def test_a_title_taken_away_after_the_first_answers_stays_away(
    server: StartServer, connect: Connect
) -> None:
    running = await server(titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="echo")
    for text in ("One thing", "Two things", "Three things"):
        await exchange(ada, session_id, text)
    await titles_settled()
    await ada.do("rename_session", session_id=session_id, title="")
    await exchange(ada, session_id, "Four things")
    await titles_settled()
    assert await title_of(ada, session_id) == ""


async def test_a_reply_stopped_half_way_counts_as_an_answer(
    server: StartServer, connect: Connect
) -> None:
    bot = ScriptedBot("sage")
    running = await server(titles=True, bots=[bot], default_bot="sage")
    ada = await connect(running)
    session_id = await session_of(ada, bot="sage")
    await ada.say(session_id, "Tell me a story")
    await ada.told("reply_started")
    bot.say("Once upon")
    reply_id = (await ada.told("reply_delta"))["reply_id"]
    await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    event = await ada.told("session_updated")
    assert event["data"]["title"] == "Tell me a story"


async def test_a_model_names_a_session(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    writer.writing = writes({"title": '"Cooking\nrice."'})
    await exchange(ada, session_id, "How do I cook it?")
    event = await ada.told("session_updated")
    assert event["data"]["title"] == "Cooking rice"
    assert event["sender"]["name"] == "gpt"
    (asked,) = writer.asked
    assert "How do I cook it?" in asked.body["messages"][1]["content"]


@pytest.mark.parametrize(
    "behaviour",
    [
        server_error(),
        bad_request(),
        writes("no JSON"),
        writes({"title": ""}),
        writes({"title": "\u200b..."}),
        writes({"title": "x" * 500}),
        Silence(),
    ],
    ids=["500", "400", "no JSON", "empty", "unseen", "without end", "silence"],
)
async def test_a_model_that_names_nothing_leaves_the_first_words(
    server: StartServer, connect: Connect, writer: Writer, behaviour: Behaviour
) -> None:
    running = await writer.serve(server, titles=True, summary_seconds=1)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    writer.writing = behaviour
    await exchange(ada, session_id, "How do I cook it?")
    assert (await ada.told("session_updated"))["data"]["title"] == "How do I cook it?"
    await eventually(lambda: writer.model.open_streams == 0, within=1.0)


async def test_no_reply_waits_for_a_title_and_a_person_who_was_faster_wins(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, titles=True, summary_seconds=2)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    await exchange(ada, session_id, "How do I cook it?")
    await eventually(lambda: writer.model.open_streams == 1)
    await exchange(ada, session_id, "And how long?")
    await ada.do("rename_session", session_id=session_id, title="Mine")
    await titles_settled()
    assert await title_of(ada, session_id) == "Mine"
    assert len(ada.inbox.all("session_updated")) == 1


async def test_no_title_is_made_from_what_was_deleted_meanwhile(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, titles=True, summary_seconds=1)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    prompt = await ada.say(session_id, "A secret of mine")
    await ada.told("message_created", reply_to=prompt["seq"])
    await eventually(lambda: writer.model.open_streams == 1)
    await ada.do("delete_message", session_id=session_id, seq=prompt["seq"])
    await titles_settled()
    assert await title_of(ada, session_id) == ""


async def test_a_server_that_stops_ends_a_title_in_the_making(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, titles=True)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    await exchange(ada, session_id, "How do I cook it?")
    await eventually(lambda: writer.model.open_streams == 1)
    await running.stop()
    await eventually(lambda: writer.model.open_streams == 0, within=1.0)
