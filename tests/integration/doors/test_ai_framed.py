"""AIs at a framed door that somebody else wrote, and at our own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.bots.echo import EchoBot
from chatserver.chat.rooms import LOBBY
from chatserver.cli.ai import framed_door
from chatserver.cli.ai.behaviour import speak_up
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.mode import Lines
from chatserver.cli.ai.refusals import Refused
from chatserver.client import ChatClient, ChatSession
from chatserver.client.errors import NotConnected
from tests.integration.doors import ais
from tests.integration.doors.ais import taking_part
from tests.integration.doors.framed_room import FramedRoom
from tests.servers import StartServer
from tests.waiting import eventually

ECHO = EchoBot(words_per_second=100_000)
LINES = 200


@pytest.fixture
async def room() -> AsyncIterator[FramedRoom]:
    async with FramedRoom() as room:
        yield room


async def test_every_fifth_of_200_lines_is_answered_while_the_server_comes_and_goes(
    room: FramedRoom,
) -> None:
    spoken = [f"line {number}: {'ü' * number}" for number in range(1, LINES + 1)]
    async with taking_part(ais.framed(room.uri()), ais.mind(ECHO), Lines(5), "AI-1"):
        await room.until("AI-1")
        for number, text in enumerate(spoken, start=1):
            await room.say("Ada", text)
            await room.say("Server", "Client Bob joined the chat")
            await room.say("AI-2", "I am none of you")
            await room.say("echo", "nor am I")
            if number in (50, 100, 150):
                # Nothing is on its way: what is said to nobody cannot be counted.
                await room.heard(number // 5)
                await room.end()
                await room.start()
                await room.until("AI-1")
        assert await room.heard(LINES // 5) == [("AI-1", text) for text in spoken[4::5]]


async def test_two_ais_answer_a_person_and_never_each_other(room: FramedRoom) -> None:
    async with taking_part(ais.framed(room.uri()), ais.mind(ECHO), Lines(1), "AI-1", "AI-2"):
        for number in range(1, 6):
            await room.say("Ada", f"line {number}")
            await room.heard(2 * number)
        await room.say("Ada", "quiet?")
        said = await room.heard(12)
    texts = [*(f"line {number}" for number in range(1, 6)), "quiet?"]
    assert sorted(said) == sorted((name, text) for name in ("AI-1", "AI-2") for text in texts)


async def test_at_our_own_server_they_answer_people_of_other_doors_and_come_back(
    server: StartServer, tmp_path: Path
) -> None:
    database, told = tmp_path / "chat.db", list[str]()
    running = await server(database=database, guests="shared")
    entrance = ais.framed(f"ws{running.url.removeprefix('http')}/ws")
    async with (
        ChatClient(running.url, name="Ada", backoff=ais.soon()) as ada,
        taking_part(
            entrance,
            ais.mind(ECHO),
            Lines(2),
            *("AI-1", "AI-2"),
            report=lambda _, text: told.append(text),
        ),
    ):
        room = await ada.join(LOBBY)
        for number in range(10):
            await room.send(f"line {number}")
        await answers(room, 10)
        _, port = running.address
        await running.stop()
        await server(database=database, guests="shared", port=port)
        await eventually(lambda: told.count("connected again") == 2)
        for number in range(10, 20):
            await room.send(f"line {number}")
        texts = [f"line {number}" for number in range(1, 20, 2)]
        said = sorted((name, text) for name in ("AI-1", "AI-2") for text in texts)
        assert sorted(await answers(room, 20)) == said


async def answers(room: ChatSession, count: int) -> list[tuple[str, str]]:
    """What the AIs said, once it is so much."""

    async def said() -> list[tuple[str, str]] | None:
        events = (await room.history(limit=200)).events
        found = [(e.sender.name, e.data["text"]) for e in events if "text" in e.data]
        by_ais = [each for each in found if each[0].startswith("AI-")]
        return by_ais if len(by_ais) >= count else None

    everything: list[tuple[str, str]] = await eventually(said)
    return everything


async def test_what_is_to_be_said_waits_for_a_connection(room: FramedRoom) -> None:
    times = asyncio.Queue[int]()

    class Times:
        async def next(self) -> int:
            return await times.get()

    lost = asyncio.Event()
    uri = FramedUri.parse(room.uri("AI-1"))
    mind = ais.mind(ECHO, "one", "two")
    async with framed_door.framed_door(uri, lambda _: lost.set(), backoff=ais.soon()) as door:
        talk = mind.conversation()
        speaking = asyncio.create_task(speak_up(door, Times(), talk, mind.ideas(talk, pytest.fail)))
        times.put_nowait(1)
        await room.heard(1)
        await room.end()
        async with asyncio.timeout(10):
            await lost.wait()
        times.put_nowait(2)
        await room.start()
        said = await room.heard(2)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    assert sorted(said) == [("AI-1", "one"), ("AI-1", "two")]


async def test_frames_that_cannot_be_read_are_reported_and_passed_over(room: FramedRoom) -> None:
    told: list[str] = []
    async with taking_part(
        ais.framed(room.uri()),
        ais.mind(ECHO),
        Lines(1),
        "AI-1",
        report=lambda _, text: told.append(text),
    ):
        await room.until("AI-1")
        connection = room.present["AI-1"]
        await connection.send(b"\x09\0\0\0Ada: hi")
        await connection.send("Ada: hi")
        await room.send(connection, b"Ada: \xff")
        await room.say("Ada", "hello")
        assert await room.heard(1) == [("AI-1", "hello")]
    assert told == [
        "a frame that cannot be read: its length is wrong",
        "a frame that cannot be read: it is no UTF-8",
    ]


async def test_a_taken_name_is_refused_at_once(room: FramedRoom) -> None:
    async with taking_part(ais.framed(room.uri()), ais.mind(ECHO), Lines(1), "AI-1"):
        with pytest.raises(Refused, match="403"):
            async with framed_door.framed_door(FramedUri.parse(room.uri("AI-1")), lambda _: None):
                pass


async def test_a_server_that_is_not_there_is_given_up_after_a_while(
    room: FramedRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framed_door, "CONNECT_SECONDS", 0.2)
    await room.end()
    with pytest.raises(NotConnected, match="ws/AI-1"):
        async with framed_door.framed_door(
            FramedUri.parse(room.uri("AI-1?token=sesame")), lambda _: None, backoff=ais.soon()
        ):
            pass
