"""Bots that answer bots: bounded by the session's own setting."""

from typing import Any

import pytest

from chatserver.chat.ports import Bot
from tests.conftest import Connect
from tests.integration.protocol.bots import SayingBot
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually


async def of_ping_and_pong(server: StartServer, connect: Connect, **settings: Any) -> Any:
    """A server whose two bots mention each other for ever, a person, and a session of all."""
    bots: list[Bot] = [SayingBot("ping", "your turn, @pong"), SayingBot("pong", "yours, @ping")]
    running = await server(bots=bots, default_bot="ping")
    ada = await connect(running)
    session_id = await session_of(ada, bot="ping", **settings)
    await ada.do("add_bot", session_id=session_id, bot="pong")
    return running, ada, session_id


async def said_by_bots(running: RunningServer, ada: RawClient, session_id: str) -> list[str]:
    """Once nothing waits or runs any more."""

    async def quiet() -> bool:
        return not await running.service.store.read(lambda tx: tx.replies.active(session_id))

    await eventually(quiet)
    log = await log_of(ada, session_id)
    return [e["sender"]["name"] for e in log if "reply_id" in e["data"]]


@pytest.mark.parametrize("turns", [0, 1, 4])
async def test_bots_that_mention_each_other_for_ever_stop_at_the_bound(
    server: StartServer, connect: Connect, turns: int
) -> None:
    running, ada, session_id = await of_ping_and_pong(server, connect, bot_turns=turns)
    await ada.say(session_id, "go")
    names = await said_by_bots(running, ada, session_id)
    assert names == [("ping", "pong")[n % 2] for n in range(1 + turns)]


async def test_what_a_person_says_lets_them_begin_again(
    server: StartServer, connect: Connect
) -> None:
    running, ada, session_id = await of_ping_and_pong(server, connect, bot_turns=2)
    for _ in range(2):
        await ada.say(session_id, "go")
        await said_by_bots(running, ada, session_id)
    assert await said_by_bots(running, ada, session_id) == ["ping", "pong", "ping"] * 2


async def test_a_bots_message_asks_the_bot_it_answers(
    server: StartServer, connect: Connect
) -> None:
    running, ada, session_id = await of_ping_and_pong(server, connect, bot_turns=1)
    await ada.say(session_id, "go")
    await said_by_bots(running, ada, session_id)
    first, second = [e for e in await log_of(ada, session_id) if "reply_id" in e["data"]]
    assert second["data"]["reply_to"] == first["seq"]


async def test_a_bot_that_names_itself_asks_nobody(server: StartServer, connect: Connect) -> None:
    running = await server(bots=[SayingBot("me", "it is me, @me")], default_bot="me")
    ada = await connect(running)
    session_id = await session_of(ada, bot="me", bot_turns=8)
    await ada.say(session_id, "who?")
    assert await said_by_bots(running, ada, session_id) == ["me"]


async def test_all_branches_share_the_bound(server: StartServer, connect: Connect) -> None:
    names = ("a", "b", "c", "d")
    everybody = " ".join(f"@{name}" for name in names)
    bots: list[Bot] = [SayingBot(name, everybody) for name in names]
    running = await server(bots=bots, default_bot="a")
    ada = await connect(running)
    session_id = await session_of(ada, bot="a", bot_turns=5)
    for name in names[1:]:
        await ada.do("add_bot", session_id=session_id, bot=name)
    await ada.say(session_id, "go")
    assert len(await said_by_bots(running, ada, session_id)) == 1 + 5


async def test_turns_count_as_asked_for_by_the_person(
    server: StartServer, connect: Connect
) -> None:
    bots: list[Bot] = [SayingBot("ping", "@pong"), SayingBot("pong", "@ping")]
    running = await server(bots=bots, default_bot="ping", replies_per_participant_day=3)
    ada = await connect(running)
    session_id = await session_of(ada, bot="ping", bot_turns=8)
    await ada.do("add_bot", session_id=session_id, bot="pong")
    await ada.say(session_id, "go")
    assert await said_by_bots(running, ada, session_id) == ["ping", "pong", "ping"]


@pytest.mark.parametrize("turns", [-1, 9, "2", None, True])
async def test_turns_out_of_bounds_are_refused(
    server: StartServer, connect: Connect, turns: object
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    error = await ada.refused("update_session", {"session_id": session_id, "bot_turns": turns})
    assert (error["code"], error["field"]) == ("invalid_payload", "bot_turns")
