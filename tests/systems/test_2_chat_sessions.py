"""System 2: chat sessions over REST at `/chats`."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from chatserver.testing import ScriptedBot
from tests.processes import StartProcess
from tests.servers import RunningServer, StartServer

CHAT_FIELDS = {"id", "created_at"}
MESSAGE_FIELDS = {"id", "sender", "content", "timestamp"}


@pytest.fixture
async def chat(server: StartServer) -> RunningServer:
    return await server(guests="private", default_bot="echo")


class Client:
    """Of one server."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._http.request(method, self._url + path, json=body) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def begin(self) -> str:
        status, chat = await self.ask("POST", "/chats")
        assert status == 201
        assert chat.keys() >= CHAT_FIELDS
        return str(chat["id"])

    async def say(self, chat_id: str, content: str) -> dict[str, Any]:
        status, message = await self.ask("POST", f"/chats/{chat_id}/messages", {"content": content})
        assert status == 201
        assert isinstance(message, dict)
        return message

    async def turns(self, chat_id: str) -> list[tuple[str, str]]:
        status, messages = await self.ask("GET", f"/chats/{chat_id}/messages")
        assert status == 200
        return [(message["sender"], message["content"]) for message in messages]


@pytest.fixture
def client(http: ClientSession, chat: RunningServer) -> Client:
    return Client(http, chat.url)


async def test_chats_are_made_listed_and_deleted(client: Client) -> None:
    first, second = await client.begin(), await client.begin()
    status, chats = await client.ask("GET", "/chats")
    assert status == 200
    assert {chat["id"] for chat in chats} == {first, second}
    assert all(chat.keys() >= CHAT_FIELDS for chat in chats)
    assert await client.ask("DELETE", f"/chats/{first}") == (204, None)
    assert [chat["id"] for chat in (await client.ask("GET", "/chats"))[1]] == [second]


async def test_a_message_is_answered_with_the_assistants_and_both_are_stored(
    client: Client,
) -> None:
    chat_id = await client.begin()
    reply = await client.say(chat_id, "hello")
    assert reply.keys() >= MESSAGE_FIELDS
    assert (reply["sender"], reply["content"]) == ("assistant", "hello")
    assert await client.turns(chat_id) == [("user", "hello"), ("assistant", "hello")]


async def test_a_summary_counts_and_highlights(client: Client) -> None:
    chat_id = await client.begin()
    for content in ("The harbour opens at dawn.", "The harbour closes at dusk."):
        await client.say(chat_id, content)
    status, summary = await client.ask("GET", f"/chats/{chat_id}/summary")
    assert status == 200
    assert summary["chat_id"] == chat_id
    counts = [
        summary[f"{kind}_count"] if kind != "total" else summary["total_messages"]
        for kind in ("total", "user_message", "assistant_message")
    ]
    assert counts == [4, 2, 2]
    assert all(type(count) is int for count in counts)
    assert "harbour" in summary["summary"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/chats/{id}", None),
        ("GET", "/chats/{id}/messages", None),
        ("POST", "/chats/{id}/messages", {"content": "hello"}),
        ("GET", "/chats/{id}/summary", None),
    ],
)
@pytest.mark.parametrize("chat_id", ["A" * 22, "00000000-0000-0000-0000-000000000000", "%20", "é"])
async def test_an_unknown_or_malformed_id_is_not_found_on_every_route(
    client: Client, method: str, path: str, body: Any, chat_id: str
) -> None:
    status, _ = await client.ask(method, path.replace("{id}", chat_id), body)
    assert status in ((404,) if chat_id.isalnum() else (404, 422))


@pytest.mark.parametrize("body", [{"content": ""}, {"content": " \n\t"}, {}, {"content": None}])
async def test_empty_or_blank_content_is_refused_and_not_stored(
    client: Client, body: dict[str, Any]
) -> None:
    chat_id = await client.begin()
    assert (await client.ask("POST", f"/chats/{chat_id}/messages", body))[0] == 422
    assert await client.turns(chat_id) == []


async def test_many_conversations_at_once_do_not_interfere(client: Client) -> None:
    chats = [await client.begin() for _ in range(10)]

    async def converse(number: int, chat_id: str) -> None:
        for turn in range(3):
            reply = await client.say(chat_id, f"{number} {turn}")
            assert reply["content"] == f"{number} {turn}"

    await asyncio.gather(*(converse(number, each) for number, each in enumerate(chats)))
    for number, chat_id in enumerate(chats):
        said = [f"{number} {turn}" for turn in range(3) for _ in range(2)]
        assert [content for _, content in await client.turns(chat_id)] == said


async def test_concurrent_posts_to_one_chat_keep_turn_order(client: Client) -> None:
    chat_id = await client.begin()
    replies = await asyncio.gather(*(client.say(chat_id, f"turn {n}") for n in range(8)))
    assert [reply["content"] for reply in replies] == [f"turn {n}" for n in range(8)]
    turns = await client.turns(chat_id)
    asked = [content for sender, content in turns if sender == "user"]
    answered = [content for sender, content in turns if sender == "assistant"]
    assert answered == asked


async def test_the_model_is_replaceable_and_sees_the_context(
    server: StartServer, http: ClientSession
) -> None:
    bot = ScriptedBot("model")
    chat = await server(guests="private", bots=[bot], default_bot="model")
    client = Client(http, chat.url)
    chat_id = await client.begin()
    for content, answer in (("My name is Ada.", "Hello Ada."), ("What is my name?", "Ada.")):
        bot.answers([answer])
        assert (await client.say(chat_id, content))["content"] == answer
    seen = [event.data["text"] for event in bot.contexts[-1].messages]
    assert seen == ["My name is Ada.", "Hello Ada.", "What is my name?"]


async def test_a_summary_has_topics_and_a_sentiment(client: Client) -> None:
    chat_id = await client.begin()
    await client.say(chat_id, "What a wonderful harbour! I love this harbour very much.")
    _, summary = await client.ask("GET", f"/chats/{chat_id}/summary")
    assert any("harbour" in topic for topic in summary["topics"])
    assert summary["sentiment"] is not None


async def test_chats_outlive_the_server_and_its_logs_are_structured(
    http: ClientSession, server_process: StartProcess
) -> None:
    chat = server_process(guests="private", log_level="info")
    client = Client(http, chat.url)
    chat_id = await client.begin()
    await client.say(chat_id, "Remember this.")
    chat.kill()
    chat.start()
    assert ("user", "Remember this.") in await client.turns(chat_id)
    logged = [json.loads(line) for line in chat.output().splitlines() if line.startswith("{")]
    assert {"event", "level", "timestamp"} <= set.intersection(*(set(each) for each in logged))


async def test_the_api_docs_are_interactive(chat: RunningServer, http: ClientSession) -> None:
    async with http.get(chat.url + "/docs") as answer:
        assert answer.status == 200
        assert "swagger" in (await answer.text()).lower()
