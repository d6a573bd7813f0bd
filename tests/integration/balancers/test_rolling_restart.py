"""Instances are restarted one after the other while people go on as if nothing happened."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from signal import SIGTERM
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from chatserver.client import ChatClient
from tests.balancer import NAMES, Balancer
from tests.fleet import BALANCERS
from tests.haproxy import Haproxy
from tests.integration.balancers.ledger import Ledger, keep_sending, read_log
from tests.integration.balancers.members import Member, RestSender, gather, still_sending
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, StartProcess
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.servers import Reachable
from tests.waiting import eventually

TRANSPORTS = ["websocket", "websocket", "polling", "polling", "polling"]
NOTICE_SECONDS = {"haproxy": 2.0, "nginx": 0.0}
"""nginx asks nobody whether they are ready."""


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def shared(
    postgres: PostgresServer, shared_redis: RedisServer
) -> AsyncIterator[dict[str, Any]]:
    """The settings of instances of one system."""
    url = await postgres.fresh()
    yield {
        "database_url": url,
        "redis_url": shared_redis.url,
        "redis_prefix": f"test-{secrets.token_hex(4)}",
        "trusted_proxies": "127.0.0.1",
        "default_bot": "",
    }
    await postgres.give_back(url)


async def start_all(
    start: StartProcess, kind: str, shared: dict[str, Any]
) -> tuple[list[ServerProcess], Balancer]:
    settings = {"drain_notice_seconds": NOTICE_SECONDS[kind], **shared}
    starts = [asyncio.to_thread(start, instance_name=name, **settings) for name in NAMES]
    processes = list(await asyncio.gather(*starts))
    addresses = [
        (p.hostname or "", p.port or 0) for p in (urlsplit(each.url) for each in processes)
    ]
    balancer = BALANCERS[kind](addresses)
    balancer.start()
    return processes, balancer


class ServerAt(Reachable):
    def __init__(self, url: str) -> None:
        self.url = url


async def gets_requests(process: ServerProcess) -> bool:
    """nginx tells nobody what it thinks of an instance."""
    async with ClientSession() as http, http.get(f"{process.url}/metrics") as answer:
        return 'http_requests_total{operation="send_message",status="201"}' in await answer.text()


def end_of(balancer: Balancer, *members: Member) -> Any:
    async def end() -> None:
        for member in members:
            await member.close()
        balancer.stop()

    return end


@pytest.mark.timeout(180)
async def test_a_rolling_restart_loses_nothing_and_shows_nobody_an_error(
    server_process: StartProcess, shared: dict[str, Any], kind: str, stack: AsyncExitStack
) -> None:
    processes, balancer = await start_all(server_process, kind, shared)
    members = [Member(f"member {number}") for number in range(len(TRANSPORTS))]
    stack.push_async_callback(end_of(balancer, *members))
    front = ServerAt(balancer.url)
    session_id = await gather(members, front, TRANSPORTS)
    ours = await stack.enter_async_context(ChatClient(balancer.url, name="ours"))
    session = await ours.join(session_id)
    program = RestSender(balancer.url, ours.token, session_id)

    ledger, stop = Ledger(), asyncio.Event()
    senders = [
        asyncio.create_task(keep_sending(session, ledger, stop)),
        asyncio.create_task(program.send(ledger, stop)),
        *(asyncio.create_task(member.send(ledger, stop)) for member in members),
    ]
    began = time.monotonic()
    await still_sending(senders, ledger, 50)
    for name, process in zip(NAMES, processes, strict=True):
        assert await asyncio.to_thread(process.terminate) == 0
        await asyncio.to_thread(process.start)
        await still_sending(senders, ledger, 50)
        if isinstance(balancer, Haproxy):
            await eventually(lambda name=name: balancer.states()[name] == "UP")
        else:
            await eventually(partial(gets_requests, process))
    stop.set()
    await asyncio.gather(*senders)
    seconds = time.monotonic() - began

    log = await read_log(session)
    ledger.check(session.id, log)
    said = [event.seq for event in log if event.type == "message_created"]
    for member in members:
        assert not member.refused, member.refused
        await eventually(lambda member=member: len(member.heard) >= len(said))
        assert member.heard == said, "each message once"
    again = sum((member.again for member in members), Counter())
    print(  # noqa: T201 (for the record)
        f"{kind}: {ledger.count} messages acked in {seconds:.1f} s, {program.count} of them over "
        f"REST; {sum(member.connects for member in members) - len(members)} reconnects of "
        f"{len(members)} members; sent again: {dict(again)}"
    )


async def test_after_sigterm_readiness_fails_first_and_all_else_goes_on(
    server_process: StartProcess,
) -> None:
    process = await asyncio.to_thread(server_process, drain_notice_seconds=60)
    ada = RawClient("Ada")
    try:
        await ada.connect(process.url, {"token": await process.token("Ada")})
        session_id = (await ada.do("create_session"))["session"]["id"]
        process.send(SIGTERM)

        async def is_unready() -> bool:
            async with ClientSession() as http, http.get(f"{process.url}/readyz") as ready:
                # Proxies shall not send another request on a connection that is about to end.
                return ready.status == 503 and ready.headers["Connection"] == "close"

        await eventually(is_unready)
        await ada.say(session_id, "still here")
        await process.token("Bob")
        assert not ada.inbox.all("server_draining")
        process.send(SIGTERM)
        await ada.told("server_draining")
        await ada.lost()
        assert await asyncio.to_thread(process.wait) == 0
    finally:
        await ada.close()
