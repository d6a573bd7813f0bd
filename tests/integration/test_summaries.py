"""Summaries by a model, as a member gets them, and whatever becomes of the model."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatserver.chat.commands import (
    CreateSession,
    SendMessage,
    SummarizeSession,
    SummaryResult,
)
from chatserver.chat.models import Participant
from chatserver.client import ChatClient
from chatserver.client.status import Connected, Status
from chatserver.compose.service import service_beside
from chatserver.summaries.model import AT_ONCE, WAITING
from chatserver.testing import (
    Behaviour,
    Silence,
    Speak,
    bad_request,
    content_filtered,
    cut,
    server_error,
)
from tests.conftest import Connect
from tests.integration.models import SUMMARY, Writer, writes
from tests.integration.protocol.people import session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer, settings_for_test
from tests.waiting import eventually


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    writer = Writer()
    async with writer.model:
        yield writer


async def summary_of(member: RawClient, session_id: str) -> dict[str, Any]:
    summary: dict[str, Any] = (await member.do("summarize_session", session_id=session_id))[
        "summary"
    ]
    return summary


async def test_a_model_sums_up_with_text_topics_mood_and_quotes(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    first = await ada.say(session_id, "I love tea. It is warm.")
    quotes = [{"seq": first["seq"], "text": "I love tea."}]
    writer.writing = writes(SUMMARY | {"highlights": quotes})
    summary = await summary_of(ada, session_id)
    assert summary["method"] == "model"
    assert summary["text"] == "They talk about tea."
    assert summary["topics"] == ["tea", "kettles"]
    assert summary["sentiment"] == "positive"
    assert summary["highlights"] == [{"sender": ada.me, **quotes[0]}]
    assert summary["covers_from_seq"] == first["seq"]
    assert summary["total_messages"] == 1


async def test_nobody_is_quoted_with_what_they_did_not_say(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    first = (await ada.say(session_id, "I love tea."))["seq"]
    second = (await ada.say(session_id, "Coffee is fine too."))["seq"]
    quotes = [
        {"seq": first, "text": "I hate tea."},
        {"seq": first, "text": "Coffee is fine too."},
        {"seq": 999, "text": "I love tea."},
        {"seq": second, "text": "Coffee is fine"},
        {"seq": first, "text": "love tea"},
        {"seq": first, "text": "love tea"},
    ]
    writer.writing = writes(SUMMARY | {"highlights": quotes})
    kept = [(h["seq"], h["text"]) for h in (await summary_of(ada, session_id))["highlights"]]
    assert kept == [(first, "love tea"), (second, "Coffee is fine")]


async def test_prose_and_a_fence_around_the_answer_do_no_harm(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    await ada.say(session_id, "Tea?")
    writer.writing = writes(f"Here you are:\n```json\n{json.dumps(SUMMARY)}\n```\nBye")
    assert (await summary_of(ada, session_id))["method"] == "model"


INVALID: dict[str, Any] = {
    "no JSON": "I would rather not.",
    "empty": "{}",
    "another mood": SUMMARY | {"sentiment": "ecstatic"},
    "a field too many": SUMMARY | {"command": "rm"},
    "a text without end": SUMMARY | {"text": "x" * 2_001},
    "topics without end": SUMMARY | {"topics": ["tea"] * 21},
    "a topic without end": SUMMARY | {"topics": ["x" * 61]},
    "a blank text": SUMMARY | {"text": " "},
    "numbers": SUMMARY | {"topics": [1, 2]},
}


@pytest.mark.parametrize("answer", INVALID.values(), ids=INVALID)
async def test_an_invalid_answer_is_asked_for_once_more_and_then_done_without(
    server: StartServer, connect: Connect, writer: Writer, answer: Any
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    await ada.say(session_id, "The kettle whistles, and I love that.")
    writer.writing = writes(answer)
    summary = await summary_of(ada, session_id)
    assert (summary["method"], summary["text"]) == ("extractive", None)
    assert summary["topics"]
    assert summary["sentiment"] == "positive"
    assert len(writer.asked) == 2


async def test_a_second_answer_that_is_valid_counts(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    await ada.say(session_id, "Tea?")
    writer.model.then(writes("Hm"), writes(SUMMARY))
    assert (await summary_of(ada, session_id))["method"] == "model"


@pytest.mark.parametrize(
    "behaviour",
    [server_error(), bad_request(), content_filtered(), cut(), Speak(()), Silence()],
    ids=["500", "400", "filter", "cut", "empty", "silence"],
)
async def test_a_model_that_fails_leaves_the_offline_summary(
    server: StartServer, connect: Connect, writer: Writer, behaviour: Behaviour
) -> None:
    running = await writer.serve(server, summary_seconds=1)
    ada = await connect(running)
    session_id = await session_of(ada)
    await ada.say(session_id, "The kettle whistles in the kitchen.")
    writer.writing = behaviour
    summary = await summary_of(ada, session_id)
    assert (summary["method"], summary["text"]) == ("extractive", None)
    await eventually(lambda: writer.model.open_streams == 0, within=1.0)


async def test_asking_again_costs_nothing_until_something_changes(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    message = await ada.say(session_id, "Tea?")
    writer.writing = writes(SUMMARY)
    await asyncio.gather(*[summary_of(ada, session_id) for _ in range(4)])
    await summary_of(ada, session_id)
    assert len(writer.asked) == 1
    seq = message["seq"]
    await ada.do("edit_message", session_id=session_id, seq=seq, text="Coffee?")
    await summary_of(ada, session_id)
    assert len(writer.asked) == 2
    assert "Coffee?" in str(writer.asked[-1].body)
    await ada.do("delete_message", session_id=session_id, seq=seq)
    assert (await summary_of(ada, session_id))["text"] is None
    assert len(writer.asked) == 2


async def test_a_person_has_so_many_written_in_an_hour_and_then_they_are_offline(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, summaries_per_participant_hour=2)
    ada, bob = await connect(running), await connect(running, "Bob")
    session_id = await session_of(ada, bob)
    writer.writing = writes(SUMMARY)
    methods = []
    for number in range(3):
        await ada.say(session_id, f"The kettle whistles {number} times.")
        methods += [(await summary_of(ada, session_id))["method"] for _ in range(2)]
    assert methods == ["model"] * 4 + ["extractive"] * 2
    assert len(writer.asked) == 2
    assert (await summary_of(bob, session_id))["method"] == "model"
    assert (await summary_of(ada, session_id))["method"] == "model", "it is written already"


async def sessions_of(ada: RawClient, count: int) -> list[str]:
    """So many sessions, each with a message of its own."""
    sessions = [await session_of(ada) for _ in range(count)]
    for session_id in sessions:
        await ada.say(session_id, "The kettle whistles.")
    return sessions


def asks(running: RunningServer, ada: RawClient, session_id: str) -> asyncio.Task[SummaryResult]:
    """Past the limit of one connection."""
    who, command = Participant.model_validate(ada.me), SummarizeSession(session_id=session_id)
    return asyncio.create_task(running.service.summarize_session(who, command))


async def test_waiting_for_a_busy_model_ends_with_the_deadline_too(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, summary_seconds=1)
    ada = await connect(running)
    first, *sessions = await sessions_of(ada, 1 + AT_ONCE + WAITING)
    await summary_of(ada, first)  # The offline method takes its time to load.
    async with asyncio.timeout(2.5):
        summaries = await asyncio.gather(*[asks(running, ada, each) for each in sessions])
    assert {each.summary.method for each in summaries} == {"extractive"}


async def test_two_attempts_have_one_deadline(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, summary_seconds=1)
    ada = await connect(running)
    (session_id,) = await sessions_of(ada, 1)
    slow = 0.7
    writer.model.then(replace(writes("Hm"), pace=slow), replace(writes(SUMMARY), pace=slow))
    assert (await summary_of(ada, session_id))["method"] == "extractive"
    assert len(writer.asked) == 2


async def test_where_too_many_wait_the_next_is_made_offline_at_once(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server, summary_seconds=60)
    ada = await connect(running)
    *sessions, last = await sessions_of(ada, AT_ONCE + WAITING + 1)
    waiting = [asks(running, ada, session_id) for session_id in sessions]
    await eventually(lambda: len(writer.asked) == AT_ONCE)
    assert (await summary_of(ada, last))["method"] == "extractive"
    assert len(writer.asked) == AT_ONCE
    assert not any(task.done() for task in waiting)
    await running.stop()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_only_the_newest_text_is_sent_and_the_summary_says_from_where(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    ada = await connect(await writer.serve(server))
    session_id = await session_of(ada)
    said = [await ada.say(session_id, f"{number} " + "tea " * 2_500) for number in range(4)]
    writer.writing = writes(SUMMARY)
    summary = await summary_of(ada, session_id)
    assert summary["covers_from_seq"] == said[-2]["seq"]
    assert summary["total_messages"] == 4
    assert len(str(writer.asked[0].body)) < 30_000


async def test_a_bot_of_the_settings_is_asked_and_none_where_they_say_none(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    writer.writing = writes(SUMMARY)
    methods = []
    for settings in ({"summary_bot": "gpt", "default_bot": "echo"}, {"summary_bot": ""}):
        ada = await connect(await writer.serve(server, **settings))
        session_id = await session_of(ada)
        await ada.say(session_id, "The kettle whistles.")
        methods.append((await summary_of(ada, session_id))["method"])
    assert methods == ["model", "extractive"]


async def test_a_server_that_stops_ends_what_the_model_still_writes(
    server: StartServer, connect: Connect, writer: Writer
) -> None:
    running = await writer.serve(server)
    ada = await connect(running)
    session_id = await session_of(ada)
    await ada.say(session_id, "Tea?")
    asking = asyncio.create_task(ada.call("summarize_session", {"session_id": session_id}))
    await eventually(lambda: writer.model.open_streams == 1)
    await running.stop()
    await eventually(lambda: writer.model.open_streams == 0, within=1.0)
    asking.cancel()


async def test_the_service_beside_a_server_leaves_no_thread_and_no_connection(
    writer: Writer, tmp_path: Path
) -> None:
    for with_model in (True, False):
        model = {"openai_key": "sesame", "openai_base_url": writer.model.base_url}
        settings = settings_for_test(
            tmp_path / "chat.db", **({"default_bot": "gpt", **model} if with_model else {})
        )
        writer.writing = writes(SUMMARY)
        async with service_beside(settings) as service:
            ada = (await service.issue_token("Ada")).participant
            session = (await service.create_session(ada, CreateSession())).session
            say = SendMessage(session_id=session.id, text="Tea?", client_message_id="1")
            await service.send_message(ada, say)
            summarize = SummarizeSession(session_id=session.id)
            summary = (await service.summarize_session(ada, summarize)).summary
        assert summary.method == ("model" if with_model else "extractive")
        await eventually(lambda: writer.model.connections == 0)
        await eventually(lambda: not any("summarizer" in t.name for t in threading.enumerate()))


async def test_a_client_waits_longer_for_a_summary_than_for_other_acks(
    server: StartServer, writer: Writer
) -> None:
    running = await writer.serve(server, summary_seconds=0.5)
    heard: list[Status] = []
    async with ChatClient(running.url, name="Ada", ack_timeout=0.25, on_status=heard.append) as ada:
        session = await ada.create_session(bot=None)
        await session.send("We meet at noon.")
        assert (await session.summarize()).method == "extractive"
        assert [type(status) for status in heard] == [Connected]
