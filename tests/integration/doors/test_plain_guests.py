"""People without a token at `/chat`."""

import sqlite3
from contextlib import closing as closing_file
from datetime import timedelta
from pathlib import Path

import pytest

from chatserver.app import SERVER
from chatserver.chat import rooms
from chatserver.chat.commands import JoinSession
from chatserver.chat.models import EventType, Session
from chatserver.testing import ScriptedBot
from tests.integration.doors.plain_clients import ask, closing, hear, log_of, plain, refusal, who
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually


def hosted(server: RunningServer) -> list[str]:
    """The sessions that somebody is in."""
    return list(server.app[SERVER].feed._rooms)


async def found(server: RunningServer, session_id: str) -> Session | None:
    return await server.service.store.read(lambda tx: tx.sessions.get(session_id))


async def test_each_private_guest_has_a_session_that_ends_with_the_connection(
    server: StartServer,
) -> None:
    running = await server(guests="private")
    async with plain(running) as one, plain(running, token="") as two:
        first, second = hosted(running)
        assert await ask(one, "one") == "one"
        assert await ask(two, "two") == "two"
    for session_id in (first, second):
        assert await found(running, session_id) is None
    async with plain(running) as again:
        assert await ask(again, "nothing of before") == "nothing of before"


@pytest.mark.parametrize("frame", [b"bytes", None])
async def test_it_ends_as_well_where_the_server_ends_it(
    server: StartServer, frame: bytes | None
) -> None:
    running = await server(guests="private")
    guest = await plain(running)
    (session_id,) = hosted(running)
    if frame is None:
        guest.transport.abort()
    else:
        await guest.send(frame)
        assert await closing(guest) == 1003

    async def gone() -> bool:
        return await found(running, session_id) is None

    await eventually(gone)


async def test_it_ends_with_a_drain_even_while_it_is_answered(
    server: StartServer, tmp_path: Path
) -> None:
    database = tmp_path / "chat.db"
    bot = ScriptedBot()
    running = await server(
        guests="private", database=database, bots=[bot], default_bot="scripted", drain_seconds=0.1
    )
    async with plain(running) as guest:
        (session_id,) = hosted(running)
        await guest.send("hello")
        await eventually(lambda: bot.contexts)
        bot.say("I am still ")
        await running.stop()
        assert await closing(guest) == 1012
    assert await found(await server(database=database), session_id) is None


async def test_all_who_share_the_guests_room_hear_each_other_and_the_bot(
    server: StartServer,
) -> None:
    running = await server(guests="shared")
    async with plain(running) as one, plain(running) as two:
        await one.send("hi")
        assert await hear(two, 2) == ["Guest: hi", "hi"]
        assert await hear(one) == ["hi"]
        async with plain(running) as late:
            assert await ask(late, "ho") == "ho"
            for client in (one, two):
                assert await hear(client, 2) == ["Guest: ho", "ho"]
    members = [event.type for event in await log_of(running, "guests") if "text" not in event.data]
    assert members.count(EventType.PARTICIPANT_LEFT) == 3
    assert members.count(EventType.PARTICIPANT_JOINED) == 3 + 2  # the house and its bot


async def test_guests_count_against_the_tokens_of_their_address(server: StartServer) -> None:
    running = await server(guests="private", tokens_per_minute=2)
    async with plain(running), plain(running):
        assert await refusal(running) == 429
    assert await refusal(running) == 429


async def test_a_guest_who_is_refused_leaves_no_session_behind(
    server: StartServer, tmp_path: Path
) -> None:
    database = tmp_path / "chat.db"
    running = await server(guests="private", connections_per_address=1, database=database)
    async with plain(running):
        assert await refusal(running) == 429
    with closing_file(sqlite3.connect(database)) as file:
        assert (
            file.execute("SELECT count(*) FROM session WHERE deleted_at IS NULL").fetchone()[0] == 0
        )


async def test_a_full_guests_room_makes_room_for_those_who_come(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(guests="shared", members_per_session=3)
    room = (await running.service.guests_room()).id
    away = await who(running, await running.token())
    await running.service.join_session(away, JoinSession(session_id=room))
    assert await refusal(running) == 429
    monkeypatch.setattr(rooms, "ARRIVING", timedelta(0))
    async with plain(running) as guest:
        assert await ask(guest, "hi") == "hi"
        assert await refusal(running) == 429
