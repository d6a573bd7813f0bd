"""The framed WebSocket: who may come in, and under which name."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from chatserver.app import SERVER
from chatserver.chat.models import Member
from chatserver.chat.rooms import LOBBY
from chatserver.gateways.framed.entry import Entry
from tests.conftest import Connect
from tests.integration.doors.framed import (
    FramedClient,
    address,
    framed,
    guests,
    is_empty,
    is_free,
    refused,
    said,
)
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually


@pytest.fixture
async def running(server: StartServer) -> RunningServer:
    return await server(guests="shared")


async def test_a_live_name_is_refused_and_its_bearer_stays(running: RunningServer) -> None:
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        for spelling in ("ada", "ADA", " Ada "):
            assert await refused(running, spelling) == 403
        await ada.say("still here")
        assert await bob.hears() == "ada: still here"
        await bob.say("end")
        assert await ada.hears() == "bob: end"
        assert await refused(running, "ada") == 403
    await eventually(lambda: is_empty(running))


async def test_a_name_is_free_as_soon_as_its_bearer_has_gone(running: RunningServer) -> None:
    for number in range(5):
        async with framed(running, "ada") as ada:
            await ada.say(str(number))
            await eventually(lambda: said(running))
    async with framed(running, "ada") as ada:
        ada.abort()
        await eventually(lambda: is_free(running, "ada"))


async def test_of_many_who_want_one_name_at_once_one_gets_it(running: RunningServer) -> None:
    async with AsyncExitStack() as stack:
        attempts = [stack.enter_async_context(framed(running, "ada")) for _ in range(8)]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(each, FramedClient) for each in outcomes) == 1
    async with framed(running, "ada"):
        pass


@pytest.mark.parametrize("name", ["Server", "server", "echo", "ECHO", "Server: Client x left"])
async def test_names_of_the_server_and_of_bots_cannot_be_had(
    running: RunningServer, name: str
) -> None:
    assert await refused(running, name) == 403


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x7fb"])
async def test_what_is_no_name_is_refused(running: RunningServer, name: str) -> None:
    assert await refused(running, name) == 400


@pytest.mark.parametrize("name", ["Zoë 🦉", "a/b", "100%", "{x}", "x" * 60])
async def test_a_name_may_have_any_characters_people_can_read(
    running: RunningServer, name: str
) -> None:
    async with framed(running, "ada") as ada, framed(running, name):
        assert await ada.hears() == f"Server: Client {name} joined the chat"


async def test_guests_are_refused_where_they_are_not_wanted(server: StartServer) -> None:
    running = await server()
    assert await refused(running, "ada") == 403
    async with framed(running, "ada", token=await running.token("ada")):
        pass


async def test_a_token_leads_in_under_its_own_name_only(running: RunningServer) -> None:
    token = await running.token("Ada")
    assert await refused(running, "Bob", token=token) == 403
    for worthless in ("", "nobody's"):
        assert await refused(running, "Ada", token=worthless) == 403
    await running.service.revoke_token(token)
    assert await refused(running, "Ada", token=token) == 403


async def test_a_token_leads_to_any_session_that_it_may_see(
    running: RunningServer, connect: Connect
) -> None:
    ada = await connect(running)
    session_id = (await ada.do("create_session", bot=None))["session"]["id"]
    invite = (await ada.do("create_invite", session_id=session_id))["invite"]
    token = await running.token("Bob")
    assert await refused(running, "Bob", session=session_id) == 403
    assert await refused(running, "Bob", session=session_id, token=token) == 403
    assert await refused(running, "Bob", session="no such thing", token=token) == 400
    async with framed(running, "Bob", session=session_id, token=token, invite=invite) as bob:
        await ada.told("presence_changed", online=True)
        await ada.say(session_id, "hello")
        assert await bob.hears() == "Ada: hello"
    await ada.told("presence_changed", online=False)
    # A member stays one.
    async with framed(running, "Bob", session=session_id, token=token):
        await ada.told("presence_changed", online=True)


async def test_who_is_refused_for_a_name_does_not_become_a_member(
    running: RunningServer, connect: Connect
) -> None:
    ada = await connect(running, "Ada")
    session_id = (await ada.do("create_session", bot=None, visibility="link"))["session"]["id"]
    token = await running.token("ada")
    assert await refused(running, "ada", session=session_id, token=token) == 403
    members = (await ada.do("join_session", session_id=session_id))["members"]
    assert [member["participant"] for member in members] == [ada.me]


async def test_a_refused_name_ends_no_membership_that_was_won_meanwhile(
    running: RunningServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await connect(running, "Ada")
    session_id = (await ada.do("create_session", bot=None, visibility="link"))["session"]["id"]
    token = await running.token("ada")
    other = await connect(running, token=token)
    members = Entry._members

    async def and_joins_elsewhere(*asked: Any) -> list[Member]:
        found = await members(*asked)
        await other.do("join_session", session_id=session_id)
        return found

    monkeypatch.setattr(Entry, "_members", and_joins_elsewhere)
    assert await refused(running, "ada", session=session_id, token=token) == 403
    await other.say(session_id, "still a member")


@pytest.mark.parametrize("path", ["ws/ada", "chat"])
async def test_a_handshake_with_a_key_that_is_none_is_told_to_upgrade(
    running: RunningServer, path: str
) -> None:
    reader, writer = await asyncio.open_connection(*running.address)
    head = f"GET /{path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \u00e9\r\n\r\n"
    writer.write((head + key).encode())
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 426 ")
    writer.close()


async def test_a_crash_before_it_is_accepted_is_answered_without_its_words(
    running: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def crash(*_: Any) -> Any:
        raise RuntimeError("what somebody wrote")

    monkeypatch.setattr(running.service, "lobby", crash)
    assert await refused(running, "ada") == 500
    written = capsys.readouterr()
    assert "request_crashed" in written.out + written.err
    assert "what somebody wrote" not in written.out + written.err


async def test_guests_are_counted_by_address(server: StartServer) -> None:
    running = await server(guests="shared", tokens_per_minute=1, connections_per_address=2)
    async with framed(running, "ada"):
        assert await refused(running, "bob") == 429
        bob, eve = await running.token("bob"), await running.token("eve")
        async with framed(running, "bob", token=bob):
            assert await refused(running, "eve", token=eve) == 429


async def test_pages_of_other_origins_are_refused_unless_allowed(server: StartServer) -> None:
    running = await server(guests="shared", allowed_origins="https://friend.example")
    assert await refused(running, "ada", how={"origin": "https://other.example"}) == 403
    for origin in ("https://friend.example", running.url):
        async with framed(running, "ada", how={"origin": origin}):
            pass


async def test_a_plain_request_is_told_to_upgrade(running: RunningServer) -> None:
    url = address(running, "ada").replace("ws", "http", 1)
    async with ClientSession() as http, http.get(url) as answer:
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
    assert running.app[SERVER].sockets.census.total == 0


async def test_who_went_with_a_server_keeps_no_place_in_a_full_room(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(guests="shared", members_per_session=3)
    await running.service.lobby()  # with its owner and the bot
    lost = await connect(running, "Lost")
    await lost.do("join_session", session_id=LOBBY)
    assert await refused(running, "ada") == 429
    await lost.close()
    await eventually(lambda: is_free(running, "Lost"))
    assert await refused(running, "ada") == 429
    monkeypatch.setattr("chatserver.chat.rooms.ARRIVING", timedelta(0))
    async with framed(running, "ada"):
        assert await guests(running) == {"ada"}


async def test_who_does_not_answer_pings_is_gone_and_the_name_free(server: StartServer) -> None:
    running = await server(guests="shared", ping_interval_seconds=0.4)
    async with framed(running, "ada") as ada:
        ada.fall_silent()
        await eventually(lambda: is_free(running, "ada"))
        async with framed(running, "ada"):
            ada.abort()
