"""A scaled system on one machine, by `honcho start` and the Procfile as it is."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.haproxy import Haproxy
from tests.honcho import Honcho
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer
from tests.waiting import eventually

TEXT = " ".join(f"word-{number}" for number in range(25))


@pytest_asyncio.fixture(loop_scope="session")
async def honcho(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Honcho]:
    """On an empty database and a Redis of its own."""
    redis = RedisServer(tmp_path)
    redis.start()
    honcho = Honcho(tmp_path, await postgres.empty(), redis.url, words_per_second=10)
    yield honcho
    await asyncio.to_thread(honcho.stop)
    redis.kill()


async def metric(port: int, name: str) -> float:
    """Of one instance."""
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(rf"^chatserver_{name} (\S+)$", await answer.text(), re.MULTILINE)
    assert found, name
    return float(found[1])


async def instance_of_one(ports: list[int]) -> int:
    """The number of the only instance with a connection."""
    found = [await metric(port, "connections") for port in ports]
    assert sorted(found) == [0, 0, 1]
    return found.index(1)


@pytest.mark.timeout(240)
async def test_two_browsers_on_different_instances_go_on_when_one_instance_is_killed(
    honcho: Honcho, visit: Visit
) -> None:
    ports = await asyncio.to_thread(honcho.start, web=3, worker=2)
    balancer = Haproxy([("127.0.0.1", port) for port in ports])
    await asyncio.to_thread(balancer.start)
    ada = await (await visit(balancer)).enter()
    session_id = await ada.start_chat("Tea", bot="echo", policy="mention", visibility="link")
    hers = await instance_of_one(ports)
    bob = await visit(balancer, "Bob")
    await bob.enter(f"/#/s/{session_id}")
    await bob.ready()
    assert sorted([await metric(port, "connections") for port in ports]) == [0, 1, 1]

    await ada.say("Is the kettle on?")
    await bob.sees("Is the kettle on?")
    prompt = f"@echo {TEXT}"
    await bob.say(prompt)
    # A worker says it, to both of them, word by word.
    for visitor in (ada, bob):
        await expect(visitor.at("reply-streaming").locator(".bubble")).to_contain_text("word-3")
    said = ["Is the kettle on?", prompt, prompt]
    await asyncio.gather(ada.sees(*said), bob.sees(*said))
    assert [await metric(port, "replies_running") for port in ports] == [0, 0, 0]

    ada.expects()
    await bob.say(f"@echo again {TEXT}")
    await expect(ada.at("reply-streaming").locator(".bubble")).to_contain_text("word-3")
    os.kill(honcho.pid(f"web.{hers + 1}"), signal.SIGKILL)
    await expect(ada.at("banner")).to_be_visible()
    await ada.say("I am still here")
    said += [f"@echo again {TEXT}"] * 2 + ["I am still here"]

    async def both_saw_all() -> bool:
        texts = [[text for _, text in await each.transcript()] for each in (ada, bob)]
        return texts[0] == texts[1] and sorted(texts[0]) == sorted(said)

    await eventually(both_saw_all, within=20)
    await expect(ada.at("connection")).to_have_text("Online")

    # The other processes did not end with it, and it came back.
    await asyncio.to_thread(honcho.says, "chatserver is ready", 4)
    assert "killed by signal 9" in honcho.output()
    await bob.say("welcome back")
    await expect(ada.message("welcome back")).to_be_visible()
    await asyncio.to_thread(balancer.stop)
