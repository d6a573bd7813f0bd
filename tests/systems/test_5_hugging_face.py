"""System 5: a page and a WebSocket in front of a model that Hugging Face hosts."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect

from chatserver.chat.ports import BotError
from chatserver.testing import ScriptedBot
from tests.servers import StartServer
from tests.systems.conftest import ws
from tests.waiting import PATIENCE

THINKING = "Thinking…"


async def heard(socket: ClientConnection) -> str:
    return str(await asyncio.wait_for(socket.recv(), PATIENCE))


async def test_the_page_has_the_apps_name(server: StartServer, http: ClientSession) -> None:
    chat = await server(app_name="Ask <Anything>")
    async with http.get(chat.url + "/") as answer:
        assert "<title>Ask &lt;Anything&gt;</title>" in await answer.text()


async def test_the_client_sees_that_the_bot_thinks_and_then_the_reply(server: StartServer) -> None:
    bot = ScriptedBot("model")
    chat = await server(guests="private", bots=[bot], default_bot="model", thinking_notice=THINKING)
    async with connect(ws(chat.url, "/chat")) as socket:
        for number in range(2):
            await socket.send(f"question {number}")
            assert await heard(socket) == THINKING
            bot.answers([f"answer {number}"])
            assert await heard(socket) == f"answer {number}"


async def test_without_a_key_the_server_starts_and_each_message_gets_a_clear_error(
    server: StartServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chat = await server(guests="private", hugging_face_model="org/model", default_bot="huggingface")
    async with connect(ws(chat.url, "/chat")) as socket:
        for _ in range(2):
            await socket.send("hello")
            assert "no key" in await heard(socket)
    assert "HUGGINGFACE_API_TOKEN" in "".join(capfd.readouterr())


async def test_a_failure_is_reported_and_the_socket_stays_open(server: StartServer) -> None:
    bot = ScriptedBot("model")
    chat = await server(guests="private", bots=[bot], default_bot="model")
    async with connect(ws(chat.url, "/chat")) as socket:
        await socket.send("hello")
        bot.fail(BotError("model_failed", "The model did not answer.", retryable=True))
        assert "The model did not answer." in await heard(socket)
        await socket.send("again")
        bot.answers(["Here I am."])
        assert await heard(socket) == "Here I am."


async def test_an_empty_answer_is_an_error_and_the_socket_stays_open(server: StartServer) -> None:
    bot = ScriptedBot("model")
    chat = await server(guests="private", bots=[bot], default_bot="model")
    async with connect(ws(chat.url, "/chat")) as socket:
        await socket.send("hello")
        bot.answers([""])
        assert "answer" in (await heard(socket)).lower()
        await socket.send("again")
        bot.answers(["Here I am."])
        assert await heard(socket) == "Here I am."


async def test_blank_input_is_ignored(server: StartServer) -> None:
    chat = await server(guests="private", default_bot="echo")
    async with connect(ws(chat.url, "/chat")) as socket:
        for blank in ("", "  ", "\n"):
            await socket.send(blank)
        await socket.send("hello")
        assert await heard(socket) == "hello"
