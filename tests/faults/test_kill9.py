"""The server dies at any moment; nothing that it acknowledged is lost (G1 to G4, G9)."""

import asyncio
import itertools
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from chatserver.cli.token import issue
from chatserver.client import ChatClient, ChatSession
from chatserver.client.backoff import Backoff
from tests.faults.checker import check
from tests.faults.crowd import Crowd
from tests.faults.history import History
from tests.processes import ServerProcess, StartProcess
from tests.raw import RawClient
from tests.servers import settings_for_test
from tests.waiting import eventually

KILLS = 4
ACKED = 2_400


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def connect_many(
    process: ServerProcess, stack: AsyncExitStack, count: int
) -> list[ChatClient]:
    settings = settings_for_test(process.database)
    tokens = await issue(settings, [f"Client {n}" for n in range(count)])
    return [
        await stack.enter_async_context(
            ChatClient(process.url, token=token.token, backoff=Backoff(first=0.05, cap=0.5))
        )
        for token in tokens
    ]


@asynccontextmanager
async def judged_crowd(
    process: ServerProcess, folder: Path, *, seed: int, clients: int, sessions: int
) -> AsyncIterator[Crowd]:
    """A crowd that talks meanwhile; in the end everything must be at rest, and as promised."""
    history = History(folder / "history")
    crowd = Crowd(process.url, history, seed=seed, clients=clients, sessions=sessions, prompts=1)
    try:
        await crowd.start()
        async with crowd.talking():
            yield crowd
        assert await crowd.settle(within=75) == []
    finally:
        await crowd.close()
        history.close()
    verdict = check(history.folder, f"sqlite:///{process.database}")
    assert verdict.ok, str(verdict)
    assert verdict.numbers.acked >= crowd.acked


@pytest.mark.timeout(240)
async def test_kill_9_while_fifty_clients_send_loses_nothing_that_was_acked(
    server_process: StartProcess, tmp_path: Path
) -> None:
    seed = secrets.randbits(32)
    rng = random.Random(seed)
    began = time.monotonic()
    process = await asyncio.to_thread(
        server_process, words_per_second=100_000, queued_replies_per_session=10_000
    )
    moments = []
    async with judged_crowd(process, tmp_path, seed=seed, clients=50, sessions=25) as crowd:
        for kill in range(KILLS):
            share = ACKED * (kill + 1) // KILLS
            await crowd.reaches(rng.randint(share - 200, share))
            moments.append(crowd.acked)
            process.kill()
            await asyncio.to_thread(process.start)
        await crowd.reaches(ACKED + 1)
    print(  # noqa: T201 (to run it again with the same seed, and for the record)
        f"seed {seed}: {crowd.acked} messages acked over {KILLS} kills (at {moments}) in "
        f"{time.monotonic() - began:.1f} s"
    )


async def test_sigterm_loses_nothing_that_was_acked(
    server_process: StartProcess, tmp_path: Path
) -> None:
    seed = secrets.randbits(32)
    process = await asyncio.to_thread(server_process, words_per_second=100)
    async with judged_crowd(process, tmp_path, seed=seed, clients=10, sessions=5) as crowd:
        await crowd.reaches(300)
        assert await asyncio.to_thread(process.terminate) == 0
        await asyncio.to_thread(process.start)
        await crowd.reaches(600)


async def test_every_member_reads_every_event_once_across_kills(
    server_process: StartProcess, stack: AsyncExitStack
) -> None:
    process = await asyncio.to_thread(server_process)
    writer, *readers = await connect_many(process, stack, 6)
    session = await writer.create_session(visibility="link", bot=None)
    seen: list[list[int]] = [[] for _ in readers]

    async def read(reader: ChatClient, seqs: list[int]) -> None:
        joined = await reader.join(session.id)
        async for event in joined.events():
            seqs.append(event.seq)  # noqa: PERF401 (it is looked at while it grows)

    reading = [
        asyncio.create_task(read(reader, seqs)) for reader, seqs in zip(readers, seen, strict=True)
    ]
    sent: list[int] = []
    sending = asyncio.create_task(keep_sending(session, sent))
    for kills in range(3):
        await eventually(lambda kills=kills: len(sent) >= 60 * (kills + 1), within=60)
        process.kill()
        await asyncio.to_thread(process.start)
    await eventually(lambda: len(sent) >= 200 or sending.done(), within=60)
    sending.cancel()
    assert not sending.done(), sending.exception()
    for seqs in seen:
        await eventually(lambda seqs=seqs: seqs and seqs[-1] >= sent[-1], what="the last is read")
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    for task in reading:
        task.cancel()


async def keep_sending(session: ChatSession, sent: list[int]) -> None:
    """One message after the other, each until it is acked."""
    for number in itertools.count():
        message = await session.send(f"message {number}", within=60)
        sent.append(message.seq)


async def test_sigterm_hands_over_replies(
    server_process: StartProcess, stack: AsyncExitStack
) -> None:
    process = await asyncio.to_thread(server_process, words_per_second=30)
    clients = await connect_many(process, stack, 10)
    sessions = [await client.create_session(bot="echo") for client in clients]
    stock = RawClient("stock", reconnection=True)
    (token,) = await issue(settings_for_test(process.database), ["stock"])
    stack.push_async_callback(stock.close)
    await stock.connect(process.url, {"token": token.token})
    prompt_text = " ".join(f"word{n}" for n in range(60))
    asked = [await session.send(prompt_text) for session in sessions]
    streams = [s.reply(p) for s, p in zip(sessions, asked, strict=True)]
    for stream in streams:
        await anext(stream)

    assert await asyncio.to_thread(process.terminate) == 0
    assert [s.message for s in streams] == [None] * len(streams), "they were still running"
    await stock.told("server_draining")
    await asyncio.to_thread(process.start)
    await stock.back()
    await stock.do("list_sessions")
    for stream in streams:
        message = await stream.wait()
        assert message is not None
        assert stream.text == message.data["text"] == prompt_text
