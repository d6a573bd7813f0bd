"""A server whose PostgreSQL goes away says so, and goes on when it is back."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from tests.conftest import Connect
from tests.integration.protocol.people import log_of, session_of
from tests.postgres import QUICK, PostgresServer
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """To be killed."""
    with PostgresServer(*QUICK).running() as server:
        yield server


async def readiness(server: RunningServer) -> int:
    async with ClientSession() as http, http.get(f"{server.url}/readyz") as answer:
        return answer.status


async def test_clients_are_told_to_come_again_and_lose_nothing(
    own_postgres: PostgresServer, server: StartServer, connect: Connect
) -> None:
    url = await own_postgres.fresh()
    running = await server(database_url=url, database_patience_seconds=0.5)
    ada, bob = await connect(running, "Ada"), await connect(running, "Bob")
    session_id = await session_of(ada, bob, bot="echo")
    before = await ada.say(session_id, "before")
    assert await readiness(running) == 200

    await asyncio.to_thread(own_postgres.kill)
    message = {"session_id": session_id, "text": "while away", "client_message_id": "away"}
    refused = await ada.refused("send_message", message)
    assert (refused["code"], refused["retryable"]) == ("unavailable", True)
    assert await readiness(running) == 503

    await asyncio.to_thread(own_postgres.start)
    await eventually(lambda: _is_ready(running))
    sent = await ada.do("send_message", **message)
    assert (await bob.told("message_created", text="while away")) == sent["message"]
    # Both were prompts, and both are answered, by the worker that was there all the time.
    for prompt in (before, sent["message"]):
        await bob.told("message_created", reply_to=prompt["seq"])
    log = await log_of(bob, session_id)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert before in log
    assert sum(event["data"].get("client_message_id") == "away" for event in log) == 1


async def _is_ready(server: RunningServer) -> bool:
    return await readiness(server) == 200
