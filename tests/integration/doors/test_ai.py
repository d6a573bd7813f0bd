"""AIs over Socket.IO beside people, while the server comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from chatserver.bots.echo import EchoBot
from chatserver.chat.models import Event, EventType
from chatserver.cli.ai.behaviour import speak_up
from chatserver.cli.ai.crew import RoomEnded, take_part
from chatserver.cli.ai.entrance import SessionEntrance
from chatserver.cli.ai.mode import Lines
from chatserver.cli.ai.session_door import NoAi, session_door
from chatserver.cli.talk.place import Place
from chatserver.client import ChatClient, ChatSession
from chatserver.testing import ScriptedBot
from tests.integration.doors import ais
from tests.integration.doors.ais import taking_part
from tests.processes import ServerProcess, StartProcess
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually

LINES = 200
ECHO = EchoBot(words_per_second=100_000)


@asynccontextmanager
async def person(
    server: RunningServer | ServerProcess, *, bot: str | None = None
) -> AsyncIterator[ChatSession]:
    """With a session of their own that others can join."""
    async with ChatClient(server.url, name="Ada", backoff=ais.soon()) as client:
        yield await client.create_session("Tea", bot=bot, visibility="link")


async def messages(session: ChatSession) -> list[Event]:
    """The log's."""
    events: list[Event] = []
    while page := (await session.history(after_seq=len(events), limit=200)).events:
        events += page
    return [event for event in events if event.type is EventType.MESSAGE_CREATED]


async def said_by(session: ChatSession, name: str) -> list[str]:
    return [e.data["text"] for e in await messages(session) if e.sender.name == name]


async def count_of(session: ChatSession, name: str, count: int) -> list[str]:
    """What somebody said, once it is so much."""

    async def enough() -> list[str] | None:
        said = await said_by(session, name)
        return said if len(said) >= count else None

    found: list[str] = await eventually(enough, within=40, what=f"{count} lines of {name}")
    return found


async def test_every_third_of_200_lines_is_answered_once_while_the_server_is_killed_again_and_again(
    server_process: StartProcess,
) -> None:
    process = await asyncio.to_thread(server_process)
    spoken = [f"line-{number}" for number in range(1, LINES + 1)]
    async with (
        person(process) as room,
        taking_part(ais.session(process.url, room.id), ais.mind(ECHO), Lines(3), "AI-1"),
    ):
        for number, text in enumerate(spoken, start=1):
            await room.send(text)
            if number in (70, 140):
                process.kill()
                await asyncio.to_thread(process.start)
        await count_of(room, "AI-1", LINES // 3)
        # One that came twice would come before what is said now.
        await room.send("last one")
        await count_of(room, "AI-1", LINES // 3 + 1)
        assert await said_by(room, "AI-1") == [*spoken[2::3], "last one"]
        assert await said_by(room, "Ada") == [*spoken, "last one"]


class Times:
    """`Pace`: when the test says so."""

    def __init__(self) -> None:
        self._times: asyncio.Queue[int] = asyncio.Queue()

    def come(self, number: int) -> None:
        self._times.put_nowait(number)

    async def next(self) -> int:
        return await self._times.get()


async def test_in_seconds_it_speaks_once_each_time_beside_200_lines_and_restarts(
    server: StartServer, tmp_path: Path
) -> None:
    database, times, corpus = tmp_path / "chat.db", Times(), [f"thought {n}" for n in range(30)]
    running = await server(database=database)
    mind = ais.mind(ECHO, *corpus)
    async with (
        person(running) as room,
        session_door(
            Place(running.url, room.id), lambda _: None, name="AI-1", backoff=ais.soon()
        ) as door,
    ):
        talk = mind.conversation()
        ideas = mind.ideas(talk, pytest.fail)
        speaking = asyncio.create_task(speak_up(door, times, talk, ideas))
        port = running.address[1]
        for number in range(1, LINES + 1):
            await room.send(f"line {number}")
            if number % 2 == 0:
                times.come(number)
            if number in (50, 100, 150):
                await running.stop()
                running = await server(database=database, port=port)
        said = await count_of(room, "AI-1", LINES // 2)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        assert len(await said_by(room, "Ada")) == LINES
    assert len(said) == LINES // 2
    for begin in range(0, 90, 30):
        assert sorted(said[begin : begin + 30]) == sorted(corpus)
    assert all(one != other for one, other in pairwise(said))


async def test_two_ais_and_a_bot_answer_a_person_and_never_each_other(server: StartServer) -> None:
    running = await server()
    async with (
        person(running, bot="echo") as room,
        taking_part(ais.session(running.url, room.id), ais.mind(ECHO), Lines(1), "AI-1", "AI-2"),
    ):
        for number in range(5):
            await room.send(f"line {number}")
        # The bot answers the AIs too: they are no bots to it. Then all is quiet.
        await count_of(room, "echo", 15)
        await room.send("quiet?")
        await count_of(room, "echo", 18)
        expected = [*(f"line {number}" for number in range(5)), "quiet?"]
        assert await said_by(room, "AI-1") == await said_by(room, "AI-2") == expected
        assert len(await messages(room)) == 6 + 6 + 6 + 18


async def test_an_answer_is_to_the_talk_as_it_stood_however_long_the_bot_thinks(
    server: StartServer,
) -> None:
    running, bot = await server(), ScriptedBot()
    async with person(running) as room:
        await room.send("before")
        async with taking_part(ais.session(running.url, room.id), ais.mind(bot), Lines(2), "AI-1"):
            for number in range(1, 7):
                await room.send(f"line {number}")
            bot.answers(["one", "two", "three"])
            assert await count_of(room, "AI-1", 3) == ["one", "two", "three"]
    shown = [[event.data["text"] for event in context.messages] for context in bot.contexts]
    assert shown == [
        ["before", "line 1", "line 2"],
        ["line 2", "one", "line 3", "line 4"],
        ["line 4", "two", "line 5", "line 6"],
    ]


async def test_a_bot_that_fails_is_reported_and_nothing_of_it_is_said(server: StartServer) -> None:
    running, bot, told = await server(), ScriptedBot(), list[tuple[str, str]]()
    bot.fail(ValueError("sesame"))
    bot.answers(["here"])
    async with (
        person(running) as room,
        taking_part(
            ais.session(running.url, room.id),
            ais.mind(bot),
            Lines(1),
            "AI-1",
            report=lambda name, text: told.append((name, text)),
        ),
    ):
        await room.send("hello")
        assert await count_of(room, "AI-1", 1) == ["here"]
    assert told == [("AI-1", "the bot scripted failed: it crashed, see the log")]


async def test_started_again_with_its_token_it_repeats_no_answer(server: StartServer) -> None:
    running, token = await server(), ""
    async with person(running) as room, ChatClient(running.url, name="AI-1") as client:
        token, entrance = client.token, ais.session(running.url, room.id, client.token)
        async with taking_part(entrance, ais.mind(ECHO), Lines(1), "AI") as (entered,):
            assert entered.name == "AI-1"
            prompt = await room.send("hello")
            await count_of(room, "AI-1", 1)
            # Another process of the same AI, which came to another answer.
            await entered.door.say("hi", f"ai-{prompt.seq}")
        assert await said_by(room, "AI-1") == ["hello"]
    assert token


async def test_a_guest_leaves_the_session_again(server: StartServer) -> None:
    running = await server()
    async with person(running) as room:
        async with taking_part(
            ais.session(running.url, room.id), ais.mind(ECHO), Lines(1), "AI-1", "AI-2"
        ):
            await eventually(lambda: len(room.members) == 3)
        await eventually(lambda: len(room.members) == 1)


async def test_a_deleted_session_ends_it(server: StartServer) -> None:
    running = await server()
    async with person(running) as room:
        entrance, inside = ais.session(running.url, room.id), asyncio.Event()
        work = asyncio.create_task(
            take_part(
                ["AI-1"],
                entrance,
                ais.mind(ECHO),
                Lines(1),
                lambda _: inside.set(),
                lambda _, __: None,
            )
        )
        async with asyncio.timeout(20):
            await inside.wait()
            await room.delete()
            with pytest.raises(RoomEnded):
                await work


async def test_a_token_of_a_person_is_no_ais(server: StartServer) -> None:
    running = await server()
    with pytest.raises(NoAi, match="Ada"):
        async with session_door(
            Place(running.url), lambda _: None, name="AI-1", token=await running.token("Ada")
        ):
            pass


async def test_without_a_session_it_makes_one_where_nobody_else_answers(
    server: StartServer,
) -> None:
    running = await server()
    entrance = SessionEntrance(Place(running.url), backoff=ais.soon())
    async with (
        taking_part(entrance, ais.mind(ECHO), Lines(1), "AI-1", "AI-2") as inside,
        ChatClient(running.url, name="Ada") as ada,
    ):
        first, second = inside
        assert first.where == second.where
        place = Place.parse(first.where, "http://elsewhere")
        assert place.session_id is not None
        room = await ada.join(place.session_id)
        assert room.info.bot is None
        await room.send("hello")
        await count_of(room, "AI-2", 1)
