"""Stopping a reply, whatever its model is doing, ends its stream within a second."""

import time
from pathlib import Path

import pytest

from chatserver.app import SERVER
from chatserver.testing import (
    Behaviour,
    FakeModel,
    Silence,
    Speak,
    hang,
    keep_alives,
    rate_limited,
)
from tests.conftest import Connect
from tests.declared import bots_file
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually

SAID = ("Once ", "upon 🙂 ", "a ")
SECOND = 1.0


@pytest.mark.parametrize(
    "behaviour",
    [
        hang(SAID),
        keep_alives(SAID),
        Speak((*SAID, *("and ",) * 10_000), pace=0.01),
    ],
    ids=["silent by now", "only keep-alives by now", "in full flow"],
)
async def test_what_was_said_before_the_stop_stays_as_a_message_marked_stopped(
    server: StartServer, connect: Connect, tmp_path: Path, behaviour: Behaviour
) -> None:
    async with FakeModel(behaviour) as model:
        running = await server(bots_file=bots_file(tmp_path, model, key_variable=""))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "A story?")
        target = {
            "session_id": session_id,
            "reply_id": (await ada.told("reply_started"))["reply_id"],
        }
        heard = ""
        while not heard.startswith("".join(SAID)):
            heard += (await ada.told("reply_delta"))["text"]
        began = time.monotonic()
        await ada.do("stop_reply", **target)
        stopped = await ada.told("reply_stopped", within=SECOND)
        await eventually(lambda: model.open_streams == 0, within=SECOND)
        assert time.monotonic() - began < SECOND
        heard = "".join(each["text"] for each in ada.inbox.all("reply_delta"))
        (message,) = [e for e in await log_of(ada, session_id) if "reply_id" in e["data"]]
        assert message["seq"] == stopped["seq"]
        assert (message["data"]["text"], message["data"]["stopped"]) == (heard, True)
        assert (await ada.do("stop_reply", **target))["reply"]["state"] == "stopped"
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [Silence(), hang(), keep_alives(), Speak(reasoning=("Hm. ",) * 10_000, pace=0.01)],
    ids=["no status line", "an empty stream", "only keep-alives", "reasoning"],
)
async def test_a_stop_before_the_first_word_leaves_no_message(
    server: StartServer, connect: Connect, tmp_path: Path, behaviour: Behaviour
) -> None:
    async with FakeModel(behaviour) as model:
        running = await server(bots_file=bots_file(tmp_path, model, key_variable=""))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "A story?")
        reply_id = (await ada.told("reply_started"))["reply_id"]
        await eventually(lambda: model.open_streams == 1)
        await stops_at_once(ada, session_id, reply_id)
        await eventually(lambda: model.open_streams == 0, within=SECOND)
    assert len(model.requests) == 1


async def test_a_stop_while_a_refused_request_waits_for_its_retry_asks_nothing_more(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    async with FakeModel(rate_limited(20)) as model:
        running = await server(bots_file=bots_file(tmp_path, model, key_variable=""))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "A story?")
        reply_id = (await ada.told("reply_started"))["reply_id"]
        await eventually(lambda: refusals(running) == 1)
        await stops_at_once(ada, session_id, reply_id)
    assert (len(model.requests), model.open_streams) == (1, 0)


def refusals(running: RunningServer) -> float | None:
    """By the model, as counted."""
    labels = {"bot": "gpt", "kind": "rate_limited"}
    registry = running.app[SERVER].metrics.registry
    return registry.get_sample_value("chatserver_model_errors_total", labels)


async def stops_at_once(ada: RawClient, session_id: str, reply_id: str) -> None:
    """And with nothing in the log but the prompt."""
    await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    stopped = await ada.told("reply_stopped", reply_id=reply_id, within=SECOND)
    assert stopped["seq"] is None
    log = await log_of(ada, session_id)
    assert [event for event in log if "reply_id" in event["data"]] == []
    ended = await ada.do("stop_reply", session_id=session_id, reply_id=reply_id)
    assert ended["reply"]["state"] == "stopped"


async def test_a_stop_that_only_the_store_was_told_of_is_obeyed_within_a_second(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    async with FakeModel(hang(SAID)) as model:
        running = await server(bots_file=bots_file(tmp_path, model, key_variable=""))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "A story?")
        reply_id = (await ada.told("reply_delta"))["reply_id"]
        store = running.app[SERVER].store
        await store.transact(lambda tx: tx.replies.request_stop(reply_id))
        await ada.told("reply_stopped", reply_id=reply_id, within=SECOND)
        await eventually(lambda: model.open_streams == 0, within=SECOND)
