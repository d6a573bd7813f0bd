"""The server dies at any moment; nothing that it acknowledged is lost (G1 to G4, G9)."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatserver.cli.token import issue
from chatserver.client import ChatClient, ChatSession
from chatserver.client.backoff import Backoff
from tests.faults.ledger import (
    Ledger,
    all_answered,
    check_answered_once,
    keep_sending,
    read_log,
    shared_session,
)
from tests.processes import ServerProcess, StartProcess
from tests.raw import RawClient
from tests.servers import settings_for_test
from tests.waiting import eventually

CLIENTS = 50
PER_SESSION = 2
KILLS = 6
ACKED = 5_000
REPLY_SECONDS = 75.0


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


async def logs_answered(sessions: list[ChatSession]) -> float:
    """Waits until every prompt's reply has ended; how long that took."""
    asked = time.monotonic()
    for session in sessions:

        async def answered(session: ChatSession = session) -> bool:
            return all_answered(await read_log(session))

        left = REPLY_SECONDS - (time.monotonic() - asked)
        await eventually(answered, within=left, what="every prompt's reply ends")
    return time.monotonic() - asked


@pytest.mark.timeout(240)
async def test_kill_9_while_fifty_clients_send_loses_nothing_that_was_acked(
    server_process: StartProcess, stack: AsyncExitStack
) -> None:
    seed = secrets.randbits(32)
    rng = random.Random(seed)
    began = time.monotonic()
    process = await asyncio.to_thread(
        server_process, words_per_second=100_000, queued_replies_per_session=10_000
    )
    clients = await connect_many(process, stack, CLIENTS)
    for first in range(0, CLIENTS, PER_SESSION):
        await shared_session(*clients[first : first + PER_SESSION])
    ledger, stop = Ledger(), asyncio.Event()
    senders = [
        asyncio.create_task(keep_sending(await client.join(info.id), ledger, stop))
        for client in clients
        for info in client.sessions()
    ]
    assert len(senders) == CLIENTS

    moments = []
    for kill in range(KILLS):
        share = ACKED * (kill + 1) // KILLS
        await still_sending(senders, ledger.reaches(rng.randint(share - 400, share)))
        moments.append(ledger.count)
        process.kill()
        await asyncio.to_thread(process.start)
    await still_sending(senders, ledger.reaches(ACKED + 1))
    stop.set()
    await asyncio.gather(*senders)
    sent = time.monotonic()

    sessions = [
        await clients[first].join(info.id)
        for first in range(0, CLIENTS, PER_SESSION)
        for info in clients[first].sessions()
    ]
    answered = await logs_answered(sessions)
    for session in sessions:
        log = await read_log(session)
        ledger.check(session.id, log)
        check_answered_once(log)
    print(  # noqa: T201 (to run it again with the same seed, and for the record)
        f"seed {seed}: {ledger.count} messages acked over {KILLS} kills (at {moments}) in "
        f"{sent - began:.1f} s; the last replies {answered:.1f} s later"
    )


async def still_sending(
    senders: list[asyncio.Task[None]], reached: Coroutine[Any, Any, None]
) -> None:
    """Waits for `reached`; fails at once where a sender fails."""
    waiting = asyncio.create_task(reached)
    await asyncio.wait([waiting, *senders], return_when=asyncio.FIRST_COMPLETED, timeout=60)
    for sender in senders:
        if sender.done():
            sender.result()
    assert waiting.done(), "nothing is acknowledged any more"


async def test_every_member_reads_every_event_once_across_kills(
    server_process: StartProcess, stack: AsyncExitStack
) -> None:
    process = await asyncio.to_thread(server_process, words_per_second=100_000)
    writer, *readers = await connect_many(process, stack, 6)
    session_id = await shared_session(writer, *readers)
    seen: list[list[int]] = [[] for _ in readers]

    async def read(reader: ChatClient, seqs: list[int]) -> None:
        session = await reader.join(session_id)
        async for event in session.events():
            seqs.append(event.seq)  # noqa: PERF401 (it is looked at while it grows)

    reading = [
        asyncio.create_task(read(reader, seqs)) for reader, seqs in zip(readers, seen, strict=True)
    ]
    ledger, stop = Ledger(), asyncio.Event()
    session = await writer.join(session_id)
    sender = asyncio.create_task(keep_sending(session, ledger, stop))
    for kill in range(3):
        await still_sending([sender], ledger.reaches(60 * (kill + 1)))
        process.kill()
        await asyncio.to_thread(process.start)
    await still_sending([sender], ledger.reaches(200))
    stop.set()
    await sender
    await logs_answered([session])
    last = (await read_log(session))[-1].seq
    for seqs in seen:
        await eventually(lambda seqs=seqs: seqs and seqs[-1] >= last, what="the last event is read")
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    for task in reading:
        task.cancel()


async def test_sigterm_hands_over_replies_and_loses_nothing(
    server_process: StartProcess, stack: AsyncExitStack
) -> None:
    process = await asyncio.to_thread(server_process, words_per_second=30)
    clients = await connect_many(process, stack, 10)
    quiet = [await client.create_session(bot=None) for client in clients]
    talking = [await client.create_session(bot="echo") for client in clients]
    stock = RawClient("stock", reconnection=True)
    (token,) = await issue(settings_for_test(process.database), ["stock"])
    try:
        await stock.connect(process.url, {"token": token.token})
        ledger, stop = Ledger(), asyncio.Event()
        senders = [asyncio.create_task(keep_sending(s, ledger, stop)) for s in quiet]
        prompt_text = " ".join(f"word{n}" for n in range(60))
        asked = [await session.send(prompt_text) for session in talking]
        streams = [s.reply(p) for s, p in zip(talking, asked, strict=True)]
        for stream in streams:
            await anext(stream)
        await still_sending(senders, ledger.reaches(200))

        assert await asyncio.to_thread(process.terminate) == 0
        assert [s.message for s in streams] == [None] * len(streams), "they were still running"
        acked_before = ledger.count
        await stock.told("server_draining")
        await asyncio.to_thread(process.start)
        await still_sending(senders, ledger.reaches(acked_before + 200))
        stop.set()
        await asyncio.gather(*senders)
        await stock.back()
        await stock.do("list_sessions")
        for stream in streams:
            message = await stream.wait()
            assert message is not None
            assert stream.text == message.data["text"] == prompt_text
    finally:
        await stock.close()
    for session in quiet:
        ledger.check(session.id, await read_log(session))
    for session in talking:
        check_answered_once(await read_log(session))
