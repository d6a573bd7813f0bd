"""System 1: chat with a corpus. A page, and a plain WebSocket at `/chat` without an envelope."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatserver.testing import ScriptedBot
from tests.servers import RunningServer, StartServer
from tests.systems.conftest import ws
from tests.waiting import PATIENCE

CORPUS = [
    "To be, or not to be.",
    "All the world's a stage.",
    "Brevity is the soul of wit.",
    "Jest!",
]


@pytest.fixture
async def chat(server: StartServer, tmp_path: Path) -> RunningServer:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(CORPUS))
    return await server(guests="private", default_bot="corpus", corpus_file=corpus)


async def asked(socket: ClientConnection, text: str) -> str:
    await socket.send(text)
    return await heard(socket)


async def heard(socket: ClientConnection) -> str:
    received = await asyncio.wait_for(socket.recv(), PATIENCE)
    assert isinstance(received, str)
    return received


async def test_the_root_is_a_chat_page(chat: RunningServer, http: ClientSession) -> None:
    async with http.get(chat.url + "/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"


async def test_text_goes_both_ways_without_an_envelope(chat: RunningServer) -> None:
    async with connect(ws(chat.url, "/chat")) as socket:
        assert await asked(socket, "hello") in CORPUS


async def test_a_reply_is_in_the_corpus_and_replies_vary_evenly(chat: RunningServer) -> None:
    replies: Counter[str] = Counter()
    async with connect(ws(chat.url, "/chat")) as socket:
        for number in range(200):
            replies[await asked(socket, f"line {number}")] += 1
    assert set(replies) == set(CORPUS)
    # 50 of each are expected; one so far from it comes once in 10 million runs.
    assert min(replies.values()) > 17
    assert max(replies.values()) < 90


async def test_receiving_never_waits_for_generating(server: StartServer) -> None:
    bot = ScriptedBot("slow")
    chat = await server(guests="private", bots=[bot], default_bot="slow")
    async with connect(ws(chat.url, "/chat")) as socket:
        for text in ("one", "two", "three"):
            await socket.send(text)
        pong = await socket.ping()
        # What follows them on the wire was read while the first reply had not said a word.
        await asyncio.wait_for(pong, PATIENCE)
        for answer in ("first", "second", "third"):
            bot.answers([answer])
        assert [await heard(socket) for _ in range(3)] == ["first", "second", "third"]


async def test_a_broken_socket_is_dropped_and_the_others_go_on(chat: RunningServer) -> None:
    async with connect(ws(chat.url, "/chat")) as well:
        broken = await connect(ws(chat.url, "/chat"))
        await broken.send("about to break")
        broken.transport.abort()
        nonsense = await connect(ws(chat.url, "/chat"))
        await nonsense.send(b"\x00\x01")
        with pytest.raises(ConnectionClosed):
            await heard(nonsense)
        assert await asked(well, "still there?") in CORPUS


async def test_in_the_shared_room_a_reply_goes_to_everyone_connected(server: StartServer) -> None:
    chat = await server(guests="shared", default_bot="echo")
    async with connect(ws(chat.url, "/chat")) as one, connect(ws(chat.url, "/chat")) as other:
        await one.send("hello")
        assert await heard(one) == "hello"
        assert [await heard(other), await heard(other)] == ["Guest: hello", "hello"]


async def test_errors_are_logged_and_reported_and_the_socket_stays_open(
    server: StartServer, capfd: pytest.CaptureFixture[str]
) -> None:
    bot = ScriptedBot("shaky")
    chat = await server(guests="private", bots=[bot], default_bot="shaky")
    async with connect(ws(chat.url, "/chat")) as socket:
        await socket.send("hello")
        bot.fail(RuntimeError("a defect of the bot"))
        assert (await heard(socket)).startswith("Error: ")
        await socket.send("again")
        bot.answers(["Here I am."])
        assert await heard(socket) == "Here I am."
    assert "RuntimeError" in "".join(capfd.readouterr())
