"""Clients of `/chat` that were away."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSCloseCode, WSMsgType

from chatserver.chat.commands import (
    CreateSession,
    JoinSession,
    LeaveSession,
    RenameSession,
    SendMessage,
)
from chatserver.chat.models import Visibility
from chatserver.gateways.plain import conversation
from chatserver.gateways.plain.lines import LEFT_OUT
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.doors.plain_clients import (
    address,
    ask,
    closing,
    hear,
    own_session,
    plain,
    texts_of,
    who,
)
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually


async def read_seq(server: RunningServer, token: str, session_id: str) -> int:
    me = await who(server, token)
    members = await server.service.members(me, session_id)
    return next(each.read_seq for each in members if each.participant.id == me.id)


async def a_public_session(server: RunningServer, texts: int = 0) -> tuple[str, str]:
    """Its owner's token, and its id; with so many messages of the owner's in it."""
    token = await server.token("Owner")
    command = CreateSession(visibility=Visibility.PUBLIC, bot=None)
    created = await server.service.create_session(await who(server, token), command)
    await say(server, token, created.session.id, range(texts))
    return token, created.session.id


async def say(server: RunningServer, token: str, session_id: str, numbers: range) -> None:
    me = await who(server, token)
    for number in numbers:
        message = SendMessage(
            session_id=session_id, text=f"m{number}", client_message_id=str(number)
        )
        await server.service.send_message(me, message)


async def is_said(server: RunningServer, session_id: str, text: str) -> bool:
    return text in await texts_of(server, session_id)


async def rename(server: RunningServer, token: str, session_id: str, times: int) -> None:
    """Events that nobody is told a line of."""
    me = await who(server, token)
    for number in range(times):
        command = RenameSession(session_id=session_id, title=f"title {number}")
        await server.service.rename_session(me, command)


async def test_a_reply_that_came_meanwhile_is_there_on_coming_back(server: StartServer) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    token = await running.token()
    session_id = await own_session(running, token)
    async with plain(running, token=token) as ada:
        bot.answers(["first"])
        assert await ask(ada, "one") == "first"
        await ada.send("two")
        await eventually(lambda: len(bot.contexts) == 2)
    bot.answers(["second"])

    async def answered() -> bool:
        return (await texts_of(running, session_id))[-1] == "second"

    await eventually(answered)
    async with plain(running, token=token) as ada:
        assert await hear(ada) == ["second"]
        bot.answers(["third"])
        assert await ask(ada, "three") == "third"
    async with plain(running, token=token) as ada:
        bot.answers(["fourth"])
        assert await ask(ada, "nothing old comes again") == "fourth"


async def test_a_failure_that_came_meanwhile_is_told_as_well(server: StartServer) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    token = await running.token()
    async with plain(running, token=token) as ada:
        await ada.send("one")
        await eventually(lambda: bot.contexts)
    bot.fail()
    async with plain(running, token=token) as ada:
        assert await hear(ada) == ["Error: The model is away."]


async def test_what_went_into_a_dead_connection_comes_again(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    async with ClientSession() as http:
        # It takes what the server sends, but its application is gone: no ping is answered.
        dead = await http.ws_connect(address(running, token=token), autoping=False)
        await dead.send_str("hello")
        async with asyncio.timeout(PATIENCE):
            assert (await dead.receive()).data == "hello"
            assert (await dead.receive()).type is WSMsgType.PING
        transport = dead._response.connection and dead._response.connection.transport
        assert transport is not None
        transport.abort()
    async with plain(running, token=token) as ada:
        assert await hear(ada) == ["hello"]
    async with plain(running, token=token) as ada:
        assert await ask(ada, "only new things") == "only new things"


async def test_what_a_client_had_not_read_as_it_closed_comes_again(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    async with ClientSession() as http, asyncio.timeout(PATIENCE):
        page = await http.ws_connect(address(running, token=token), autoping=False)
        await page.send_str("hello")
        assert (await page.receive()).data == "hello"
        await page.close(code=WSCloseCode.GOING_AWAY)
    async with plain(running, token=token) as ada:
        assert await hear(ada) == ["hello"]


async def test_who_closes_right_after_reading_is_told_nothing_twice(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    for turn in range(20):
        async with plain(running, token=token) as ada:
            assert await ask(ada, str(turn)) == str(turn)


async def test_the_end_of_the_session_while_one_catches_up_is_no_defect(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    owner, session_id = await a_public_session(running)
    token = await running.token("Ada")
    ada = await who(running, token)
    await running.service.join_session(ada, JoinSession(session_id=session_id))
    await say(running, owner, session_id, range(130))
    history = running.service.get_history

    async def and_leaves(*asked: Any) -> Any:
        await running.service.leave_session(ada, LeaveSession(session_id=session_id))
        return await history(*asked)

    monkeypatch.setattr(running.service, "get_history", and_leaves)
    async with plain(running, token=token, session=session_id) as client:
        assert await closing(client) == 1008


async def test_what_was_read_is_marked_without_a_transaction_for_each(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    owner, session_id = await a_public_session(running)
    watcher = await connect(running, token=owner)
    await watcher.do("join_session", session_id=session_id)
    token = await running.token("Ada")
    async with plain(running, token=token, session=session_id) as ada:
        await say(running, owner, session_id, range(30))
        assert await hear(ada, 30) == [f"Owner: m{number}" for number in range(30)]

        async def all_is_read() -> bool:
            return await read_seq(running, token, session_id) == 32  # two have joined

        await eventually(all_is_read)
    assert len(watcher.inbox.all("read_changed")) <= 3


@pytest.mark.parametrize(("at_most", "first"), [(1_000, 0), (100, 30)])
async def test_all_that_was_missed_is_told_in_order_up_to_a_bound_and_joins_what_is_live(
    server: StartServer, monkeypatch: pytest.MonkeyPatch, at_most: int, first: int
) -> None:
    monkeypatch.setattr(conversation, "MAX_PAGE", 20)
    monkeypatch.setattr(conversation, "MISSED_EVENTS", at_most)
    running = await server()
    owner, session_id = await a_public_session(running)
    token = await running.token("Ada")
    await running.service.join_session(
        await who(running, token), JoinSession(session_id=session_id)
    )
    await say(running, owner, session_id, range(130))
    async with plain(running, token=token, session=session_id) as ada:
        await say(running, owner, session_id, range(130, 135))
        told = await hear(ada, 135 - first + bool(first))
    expected = [f"Owner: m{number}" for number in range(first, 135)]
    assert told == ([LEFT_OUT] if first else []) + expected


async def test_a_newcomer_hears_only_what_is_said_from_then_on(server: StartServer) -> None:
    running = await server()
    owner, session_id = await a_public_session(running, texts=60)
    async with plain(running, token=await running.token(), session=session_id) as ada:
        await say(running, owner, session_id, range(60, 62))
        assert await hear(ada, 2) == ["Owner: m60", "Owner: m61"]


async def test_what_was_said_before_somebody_first_came_is_not_told_later_either(
    server: StartServer,
) -> None:
    running = await server()
    owner, session_id = await a_public_session(running, texts=30)
    token = await running.token("Ada")
    async with plain(running, token=token, session=session_id):
        pass
    await rename(running, owner, session_id, times=60)
    async with plain(running, token=token, session=session_id) as ada:
        await say(running, owner, session_id, range(30, 31))
        assert await hear(ada) == ["Owner: m30"]


@pytest.mark.parametrize("at_most", [1_000, 150])
async def test_nor_to_who_came_by_another_door_long_ago(
    server: StartServer, monkeypatch: pytest.MonkeyPatch, at_most: int
) -> None:
    monkeypatch.setattr(conversation, "MISSED_EVENTS", at_most)
    running = await server()
    owner, session_id = await a_public_session(running, texts=100)
    token = await running.token("Ada")
    await running.service.join_session(
        await who(running, token), JoinSession(session_id=session_id)
    )
    await say(running, owner, session_id, range(100, 101))
    await rename(running, owner, session_id, times=100)
    async with plain(running, token=token, session=session_id) as ada:
        assert await hear(ada) == ["Owner: m100"]


async def test_who_has_missed_nothing_is_not_told_that_they_have(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MISSED_EVENTS", 20)
    running = await server()
    owner, session_id = await a_public_session(running)
    token = await running.token("Ada")
    async with plain(running, token=token, session=session_id) as ada:
        for number in range(30):
            await ada.send(f"mine {number}")
        await eventually(lambda: is_said(running, session_id, "mine 29"))
        await say(running, owner, session_id, range(1))
        assert await hear(ada) == ["Owner: m0"]
        await rename(running, owner, session_id, times=30)
    async with plain(running, token=token, session=session_id) as ada:
        await say(running, owner, session_id, range(1, 2))
        assert await hear(ada) == ["Owner: m1"]


async def test_a_line_that_was_not_read_comes_again_whatever_followed_it(
    server: StartServer,
) -> None:
    running = await server()
    owner, session_id = await a_public_session(running)
    token = await running.token("Ada")
    async with ClientSession() as http, asyncio.timeout(PATIENCE):
        page = await http.ws_connect(
            address(running, token=token, session=session_id), autoping=False
        )
        await say(running, owner, session_id, range(1))
        assert (await page.receive()).data == "Owner: m0"
        await rename(running, owner, session_id, times=3)
        await say(running, owner, session_id, range(1, 2))
        assert (await page.receive()).type is WSMsgType.PING
        assert (await page.receive()).data == "Owner: m1"
        await page.close()
    async with plain(running, token=token, session=session_id) as ada:
        assert await hear(ada, 2) == ["Owner: m0", "Owner: m1"]


async def test_that_something_was_left_out_is_told_until_it_is_read(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MISSED_EVENTS", 5)
    running = await server()
    owner, session_id = await a_public_session(running)
    token = await running.token("Ada")
    await running.service.join_session(
        await who(running, token), JoinSession(session_id=session_id)
    )
    await say(running, owner, session_id, range(2))
    await rename(running, owner, session_id, times=10)
    there = address(running, token=token, session=session_id)
    async with ClientSession() as http, asyncio.timeout(PATIENCE):
        for _ in range(2):
            page = await http.ws_connect(there, autoping=False)
            assert (await page.receive()).data == LEFT_OUT
            await page.close()
    async with plain(running, token=token, session=session_id) as ada:
        assert await hear(ada) == [LEFT_OUT]
    async with plain(running, token=token, session=session_id) as ada:
        await say(running, owner, session_id, range(2, 3))
        assert await hear(ada) == ["Owner: m2"]


async def test_who_answers_no_ping_is_gone_and_who_does_stays(server: StartServer) -> None:
    running = await server(ping_interval_seconds=0.2)
    async with ClientSession() as http, asyncio.timeout(PATIENCE):
        quiet = await http.ws_connect(address(running, token=await running.token()), autoping=False)
        for _ in range(3):
            asked = await quiet.receive()
            assert asked.type is WSMsgType.PING
            await quiet.pong(asked.data)
        while not quiet.closed:
            await quiet.receive()
    assert quiet.close_code == WSCloseCode.ABNORMAL_CLOSURE


async def test_a_reply_that_a_restart_interrupts_is_told_to_who_comes_back(
    server: StartServer, tmp_path: Path
) -> None:
    bot = ScriptedBot()
    settings: dict[str, Any] = {"database": tmp_path / "chat.db", "bots": [bot]}
    running = await server(**settings, default_bot="scripted", drain_seconds=0.1)
    token = await running.token()
    async with plain(running, token=token) as ada:
        await ada.send("hello")
        await eventually(lambda: bot.contexts)
        await running.stop()
        assert await closing(ada) == 1012
    async with plain(await server(**settings, default_bot="scripted"), token=token) as ada:
        bot.answers(["after all"])
        assert await hear(ada) == ["after all"]
