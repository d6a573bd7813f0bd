"""A stream of one instance of several, behind the load balancer that we document."""

import asyncio
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.haproxy import Haproxy
from tests.integration.doors.listening import Listener, listening
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, StartProcess
from tests.redis_server import RedisServer
from tests.servers import Reachable


async def hosts_a_stream(process: ServerProcess) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{process.url}/metrics") as answer:
        return "\nchatserver_connections 1.0\n" in await answer.text()


async def broken_off(listener: Listener) -> bool:
    """Reads on until the connection is cut in the middle of the answer."""
    try:
        while await listener.next():
            pass
    except aiohttp.ClientError:
        return True
    return False


@pytest.mark.timeout(180)
async def test_a_stream_hears_other_instances_and_outlives_the_kill_of_its_own(
    server_process: StartProcess, postgres: PostgresServer, shared_redis: RedisServer
) -> None:
    url = await postgres.fresh()
    shared: dict[str, Any] = {
        "database_url": url,
        "redis_url": shared_redis.url,
        "redis_prefix": f"test-{secrets.token_hex(4)}",
        "trusted_proxies": "127.0.0.1",
        "default_bot": "",
    }
    names = ("web1", "web2")
    starts = [asyncio.to_thread(server_process, instance_name=name, **shared) for name in names]
    processes = await asyncio.gather(*starts)
    addresses = [urlsplit(each.url) for each in processes]
    balancer = Haproxy([(each.hostname or "", each.port or 0) for each in addresses])
    await asyncio.to_thread(balancer.start)
    public = Reachable()
    public.url = balancer.url
    try:
        token = await public.token()
        made = await public.rest("POST", "/api/v1/sessions", {}, token=token)
        session_id = made["session"]["id"]
        path = f"/api/v1/sessions/{session_id}/messages"
        async with listening(balancer.url, token, session_id, after_seq=0) as listener:
            await listener.events(1)
            (here,) = [each for each in processes if await hosts_a_stream(each)]
            (other,) = [each for each in processes if each is not here]
            waits = []
            for seq in range(2, 7):
                asked = time.monotonic()
                await other.rest("POST", path, {"text": f"{seq}"}, token=token)
                assert await listener.events(seq) == list(range(1, seq + 1))
                waits.append(time.monotonic() - asked)
            assert min(waits) < 0.15, "the balancer keeps events back"
            await asyncio.to_thread(here.kill)
            assert await broken_off(listener)
        for number in range(5):
            await other.rest("POST", path, {"text": f"meanwhile {number}"}, token=token)
        async with listening(balancer.url, token, session_id, last=6) as again:
            assert await again.events(11) == list(range(7, 12))
            await other.rest("POST", path, {"text": "live again"}, token=token)
            assert await again.events(12) == list(range(7, 13))
    finally:
        await asyncio.to_thread(balancer.stop)
        for each in processes:
            await asyncio.to_thread(each.kill)
        await postgres.give_back(url)
