"""What the balancers do with requests: where they go, and whose they say they are."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from yarl import URL

from chatserver.app import SERVER
from chatserver.settings import Settings
from tests.conftest import Connect
from tests.fleet import Fleet
from tests.haproxy import Haproxy
from tests.servers import StartServer
from tests.waiting import eventually

Http = aiohttp.ClientSession


async def fleet_of(server: StartServer, **settings: Any) -> Fleet:
    fleet = await server(**settings)
    assert isinstance(fleet, Fleet)
    return fleet


@asynccontextmanager
async def client_at(address: str, **headers: str) -> AsyncIterator[Http]:
    """Speaks from there (all of 127.0.0.0/8 is this machine), and keeps no cookies."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0), force_close=True)
    jar = aiohttp.DummyCookieJar()
    async with Http(connector=connector, cookie_jar=jar, headers=headers) as http:
        yield http


def polling(fleet: Fleet, sid: str = "") -> dict[str, Any]:
    query = {"EIO": "4", "transport": "polling"} | ({"sid": sid} if sid else {})
    return {"url": f"{fleet.url}/socket.io/", "params": query}


async def open_polling(http: Http, fleet: Fleet) -> str:
    async with http.get(**polling(fleet)) as answer:
        assert answer.status == 200
        return str(json.loads((await answer.text())[1:])["sid"])


async def token_status(http: Http, fleet: Fleet, **headers: str) -> int:
    body = {"name": "Ada"}
    async with http.post(f"{fleet.url}/api/v1/tokens", json=body, headers=headers) as answer:
        return answer.status


async def test_long_polling_finds_its_instance_without_cookies(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server)
    async with client_at("127.0.0.2") as http:
        sids = [await open_polling(http, fleet) for _ in range(9)]
        names = {sid.partition(".")[0] for sid in sids}
        assert names == {"web1", "web2", "web3"}
        token = await fleet.token()
        for sid in sids:
            auth = f"40/chat,{json.dumps({'token': token})}"
            async with http.post(**polling(fleet, sid), data=auth) as answer:
                assert (answer.status, await answer.text()) == (200, "ok")
            async with http.get(**polling(fleet, sid)) as answer:
                assert (await answer.text()).startswith("40/chat,")


async def test_websockets_are_spread_evenly(
    server: StartServer, connect: Connect, kind: str
) -> None:
    fleet = await fleet_of(server)
    for _ in range(9):
        await connect(fleet)
    counts = [len(each.app[SERVER].sockets.eio.sockets) for each in fleet.instances]
    assert counts == [3, 3, 3]


async def test_an_instance_that_is_unknown_or_gone_is_a_session_that_is_unknown(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server)
    async with client_at("127.0.0.2") as http:
        for sid in ("web9.AAAAAAAAAAAAAAAAAAAA", "localhost.A", "web1", "..", "web1.A"):
            async with http.get(**polling(fleet, sid)) as answer:
                assert answer.status == 400, sid
        await fleet.instances[0].stop()
        async with http.get(**polling(fleet, "web1.A")) as answer:
            assert answer.status in (400, 502)
        assert (await open_polling(http, fleet)).startswith(("web2.", "web3."))


async def test_limits_are_kept_by_the_address_that_a_client_really_has(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server, tokens_per_minute=1)
    tries = 2 * len(fleet.instances)  # each instance counts by itself
    async with client_at("127.0.0.2") as ours, client_at("127.0.0.3") as theirs:
        inventions = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(tries)]
        statuses = [await token_status(ours, fleet, **each) for each in inventions]
        assert sorted(statuses) == [201, 201, 201, 429, 429, 429]
        inventions = [{"X-Forwarded-For": "127.0.0.1, 127.0.0.2"}, {"X-Real-IP": "203.0.113.1"}]
        assert {await token_status(ours, fleet, **each) for each in inventions} == {429}
        assert await token_status(theirs, fleet) == 201


async def test_connections_are_counted_by_the_address_that_a_client_really_has(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server, connections_per_address=1)
    async with client_at("127.0.0.2") as ours, client_at("127.0.0.3") as theirs:

        async def status(http: Http, invented: str) -> int:
            headers = {"X-Forwarded-For": invented}
            async with http.get(**polling(fleet), headers=headers) as answer:
                return answer.status

        # Two are let in by each instance: the second would be told why it cannot stay.
        inside = [await status(ours, f"203.0.113.{number}") for number in range(6)]
        assert inside == [200] * 6
        assert [await status(ours, f"198.51.100.{number}") for number in range(3)] == [429] * 3
        assert await status(theirs, "127.0.0.2") == 200


async def test_what_is_for_machines_that_watch_is_not_for_everybody(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server)
    async with client_at("127.0.0.2") as http:
        for path in ("/metrics", "/readyz", "/healthz", "/%6detrics"):
            async with http.get(URL(fleet.url + path, encoded=True)) as answer:
                assert answer.status == 404
        async with http.get(fleet.url) as answer:
            assert answer.status == 200
            assert "text/html" in answer.headers["Content-Type"]


async def test_a_body_that_no_instance_would_take_is_refused_before(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server)
    limit = Settings.model_fields["frame_bytes"].default
    async with client_at("127.0.0.2") as http:
        sid = await open_polling(http, fleet)
        async with http.post(**polling(fleet, sid), data=b"6" * (limit + 1)) as answer:
            assert answer.status == 413
        # It never came, so it closed nothing.
        async with http.post(**polling(fleet, sid), data=b"3") as answer:
            assert answer.status == 200


async def test_pages_may_connect_to_where_they_came_from(server: StartServer, kind: str) -> None:
    fleet = await fleet_of(server)
    async with client_at("127.0.0.2") as http:
        for origin, status in ((fleet.url, 200), ("http://elsewhere.example", 400)):
            async with http.get(**polling(fleet), headers={"Origin": origin}) as answer:
                assert answer.status == status


@pytest.mark.parametrize("backend", ["haproxy-3"])
async def test_where_no_instance_is_ready_any_of_them_is_asked(server: StartServer) -> None:
    fleet = await fleet_of(server)
    balancer = fleet.balancer
    assert isinstance(balancer, Haproxy)
    for each in fleet.instances:
        each.app[SERVER].connections.leave()
    await eventually(lambda: set(balancer.states().values()) == {"DOWN"})
    async with client_at("127.0.0.2") as http:
        assert await token_status(http, fleet) == 201
        await open_polling(http, fleet)
