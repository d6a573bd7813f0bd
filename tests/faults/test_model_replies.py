"""The server dies, or is told to go, while a model speaks: each reply still ends once (G4, G9)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from chatserver.chat.models import Event, EventType
from chatserver.cli.token import issue
from chatserver.client import ChatClient, ChatSession, ReplyFailed
from chatserver.client.backoff import Backoff
from chatserver.testing import Behaviour, FakeModel, Silence, Speak, hang
from tests.conftest import Connect
from tests.declared import bots_file
from tests.processes import ServerProcess, StartProcess
from tests.reader import Reader
from tests.servers import settings_for_test, start_server
from tests.story import PIECES, STORY
from tests.waiting import eventually

PACE = 0.012
OTHER_PIECES = tuple(f"another {piece}" for piece in PIECES[:80])
OTHER = "".join(OTHER_PIECES)
DRAIN_SECONDS = 5.0
"""SIGTERM to exit, with a reply under way."""
HANDED_OVER_SECONDS = 3.0
"""From a server's start until it has asked the model again."""
LEASE = 120.0
"""Longer than any test waits: what depends on its end does not pass."""


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def started(
    server_process: StartProcess, model: FakeModel, folder: Path, **settings: Any
) -> ServerProcess:
    file = bots_file(folder, model, key_variable="")
    return await asyncio.to_thread(
        server_process,
        bots_file=file,
        default_bot="gpt",
        reply_lease_seconds=LEASE,
        **settings,
    )


async def session_at(process: ServerProcess, stack: AsyncExitStack) -> ChatSession:
    (token,) = await issue(settings_for_test(process.database), ["Ada"])
    client = ChatClient(process.url, token=token.token, backoff=Backoff(first=0.05, cap=0.2))
    ada = await stack.enter_async_context(client)
    return await ada.create_session(visibility="link")


async def ends_of(session: ChatSession) -> list[Event]:
    """Every event of the log in which a reply ended. The logs here are short."""
    page = await session.history(after_seq=0, limit=200)
    assert page.complete
    return [event for event in page.events if "reply_id" in event.data]


async def test_kill_9_in_the_middle_of_a_reply_leaves_one_final_message(
    server_process: StartProcess,
    stack: AsyncExitStack,
    connect: Connect,
    tmp_path: Path,
) -> None:
    # So slowly that one can join in the middle.
    other = Speak(OTHER_PIECES, pace=4 * PACE)
    model = await stack.enter_async_context(FakeModel(Speak(PIECES, pace=PACE), default=other))
    process = await started(server_process, model, tmp_path)
    session = await session_at(process, stack)
    token = await process.token("Bob")
    prompt = await session.send("A story?")
    stream = session.reply(prompt)
    reader = Reader(stream, STORY, OTHER)
    await reader.reads("chapter5 ")
    process.kill()
    await eventually(lambda: model.open_streams == 0, within=1.0)
    await asyncio.to_thread(process.start)
    await eventually(lambda: len(model.requests) == 2, what="the second attempt")

    bob = await connect(process, token=token)
    joined = await bob.do("join_session", session_id=session.id)
    (running,) = joined["replies"]
    assert (running["state"], running["attempt"]) == ("running", 2)
    finished = await bob.told("reply_finished", reply_id=running["reply_id"])
    heard = running["text"]
    for delta in bob.inbox.all("reply_delta"):
        assert (delta["attempt"], delta["offset"]) == (2, len(heard)), "counted from 0 on"
        heard += delta["text"]
    assert heard == OTHER

    message = await reader.message()
    assert reader.text == message.data["text"] == OTHER
    assert await ends_of(session) == [message]
    assert (message.seq, message.data["reply_id"]) == (finished["seq"], stream.reply_id)
    assert message.data.get("stopped") is None
    path = f"/api/v1/sessions/{session.id}/messages/{prompt.seq}/reply"
    ended = (await process.rest("GET", path, token=token))["reply"]
    assert (ended["state"], ended["attempt"]) == ("done", 2)
    assert (len(model.requests), model.open_streams) == (2, 0)


async def test_a_reply_over_which_server_after_server_dies_fails_in_the_end(
    server_process: StartProcess, stack: AsyncExitStack, tmp_path: Path
) -> None:
    well = Speak(("All is well.",))
    model = FakeModel(hang(PIECES[:8]), hang(PIECES[:8]), default=well)
    await stack.enter_async_context(model)
    process = await started(server_process, model, tmp_path, reply_takeovers=2)
    session = await session_at(process, stack)
    prompt = await session.send("A story?")
    stream = session.reply(prompt)
    for _death in range(2):
        await eventually(lambda: model.open_streams == 1)
        process.kill()
        await eventually(lambda: model.open_streams == 0, within=1.0)
        await asyncio.to_thread(process.start)
    with pytest.raises(ReplyFailed) as failed:
        await stream.wait()
    assert (failed.value.code, failed.value.retryable) == ("reply_exhausted", True)
    ends = await ends_of(session)
    assert [event.type for event in ends].count(EventType.REPLY_FAILED) == 1
    # What was said stays, if it was saved before the last death.
    assert [e.data["failed"] for e in ends if e.type is EventType.MESSAGE_CREATED] in ([], [True])
    assert len(model.requests) == 2

    again = await session.retry_reply(failed.value.reply_id)
    message = await session.reply(prompt, reply_id=again.reply_id).wait()
    assert message is not None
    assert message.data["text"] == "All is well."
    assert await ends_of(session) == [*ends, message]


@pytest.mark.parametrize(
    "behaviour",
    [Speak(PIECES, pace=PACE), Silence()],
    ids=["while it speaks", "while it hangs"],
)
async def test_sigterm_hands_a_models_reply_over_at_once(
    server_process: StartProcess, stack: AsyncExitStack, tmp_path: Path, behaviour: Behaviour
) -> None:
    """Not by its lease, nor as of a server that died: a single such would fail it."""
    model = FakeModel(behaviour, default=Speak(OTHER_PIECES, pace=PACE))
    await stack.enter_async_context(model)
    process = await started(server_process, model, tmp_path, reply_takeovers=1)
    session = await session_at(process, stack)
    reader = Reader(session.reply(await session.send("A story?")), STORY, OTHER)
    if isinstance(behaviour, Speak):
        await reader.reads("chapter1 ")
    await eventually(lambda: model.open_streams == 1)

    told = time.monotonic()
    assert await asyncio.to_thread(process.terminate) == 0
    assert time.monotonic() - told < DRAIN_SECONDS
    await eventually(lambda: model.open_streams == 0, within=1.0)
    await asyncio.to_thread(process.start)
    await eventually(lambda: len(model.requests) == 2, within=HANDED_OVER_SECONDS)
    message = await reader.message()
    assert reader.text == message.data["text"] == OTHER
    assert await ends_of(session) == [message]


async def test_replies_that_were_handed_over_go_on_side_by_side_at_once(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    sessions = 12
    model = await stack.enter_async_context(FakeModel(default=hang(["Once "])))
    settings: dict[str, Any] = {"bots_file": bots_file(tmp_path, model, key_variable="")}
    first = await start_server(tmp_path / "chat.db", **settings)
    token = await first.token()
    async with ChatClient(first.url, token=token) as ada:
        for session in [await ada.create_session(bot="gpt") for _ in range(sessions)]:
            await session.send("A story?")
        await eventually(lambda: model.open_streams == sessions)
    await first.stop()
    await eventually(lambda: model.open_streams == 0, within=1.0)
    second = await start_server(tmp_path / "chat.db", **settings)
    stack.push_async_callback(second.stop)
    await eventually(lambda: model.open_streams == sessions, within=HANDED_OVER_SECONDS)
