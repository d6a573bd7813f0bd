"""The Python client follows a model's reply: nothing missing, nothing doubled, at any moment."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from chatserver.client import ChatClient
from chatserver.client.backoff import Backoff
from chatserver.testing import FakeModel, Speak
from tests.declared import bots_file
from tests.reader import Reader
from tests.servers import RunningServer, StartServer
from tests.story import PIECES, STORY
from tests.waiting import eventually
from tests.wire import Wire

PACE = 0.012


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel(default=Speak(PIECES, pace=PACE)) as model:
        yield model


@pytest.fixture
async def running(server: StartServer, tmp_path: Path, model: FakeModel) -> RunningServer:
    return await server(bots_file=bots_file(tmp_path, model, key_variable=""), default_bot="gpt")


async def client(stack: AsyncExitStack, url: str, token: str) -> ChatClient:
    """One that comes back quickly."""
    backoff = Backoff(first=0.05, cap=0.1)
    return await stack.enter_async_context(ChatClient(url, token=token, backoff=backoff))


async def test_a_client_whose_network_is_cut_in_the_middle_of_a_reply_goes_on_where_it_was(
    running: RunningServer, model: FakeModel, stack: AsyncExitStack
) -> None:
    wire = await stack.enter_async_context(Wire(running.url))
    ada = await client(stack, wire.url, await running.token())
    session = await ada.create_session()
    reader = Reader(session.reply(await session.send("A story?")), STORY)
    for chapter in (5, 10, 15):
        await reader.reads(f"chapter{chapter} ")
        wire.cut()
        await eventually(lambda: not ada.connected)
        await wire.mend()
    await reader.reads("chapter20 ")
    assert model.open_streams == 1, "it came back while the model still spoke"
    message = await reader.message()
    assert reader.text == message.data["text"] == STORY


async def test_a_client_that_comes_back_after_the_reply_ended_reads_the_rest_of_it(
    running: RunningServer, model: FakeModel, stack: AsyncExitStack
) -> None:
    wire = await stack.enter_async_context(Wire(running.url))
    token = await running.token()
    ada, beside = await client(stack, wire.url, token), await client(stack, running.url, token)
    session = await ada.create_session()
    prompt = await session.send("A story?")
    reader = Reader(session.reply(prompt), STORY)
    await reader.reads("chapter5 ")
    wire.cut()
    await eventually(lambda: not ada.connected)
    shown = reader.text
    message = await (await beside.join(session.id)).reply(prompt).wait()
    assert reader.text == shown != STORY
    await wire.mend()
    assert await reader.message() == message
    assert reader.text == STORY


async def test_clients_that_join_in_the_middle_of_a_reply_read_all_of_it(
    running: RunningServer, stack: AsyncExitStack
) -> None:
    token = await running.token()
    session = await (await client(stack, running.url, token)).create_session()
    prompt = await session.send("A story?")
    readers = [Reader(session.reply(prompt), STORY)]
    for chapter in (3, 8, 9, 10, 20):
        await readers[0].reads(f"chapter{chapter} ")
        late = await client(stack, running.url, token)
        readers.append(Reader((await late.join(session.id)).reply(prompt), STORY))
    for reader in readers:
        assert (await reader.message()).data["text"] == reader.text == STORY
