"""System 4: sessions by token, and a worker of its own that answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from chatserver.testing import ScriptedBot
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, WorkerProcess
from tests.redis_server import RedisServer
from tests.servers import RunningServer, StartServer
from tests.systems.conftest import ws
from tests.waiting import PATIENCE, eventually

PAGE = "https://chat.example"


@pytest.fixture
async def chat(server: StartServer) -> RunningServer:
    return await server(default_bot="echo", allowed_origins=(PAGE,))


async def a_token(http: ClientSession, url: str, name: str = "Ada") -> str:
    async with http.post(url + "/token", params={"name": name}) as answer:
        assert answer.status == 200
        return str((await answer.json())["token"])


async def history(http: ClientSession, url: str, token: str) -> list[str]:
    async with http.get(url + "/refresh_token", params={"token": token}) as answer:
        assert answer.status == 200
        return [message["msg"] for message in (await answer.json())["messages"]]


async def heard(socket: ClientConnection) -> str:
    return str(await asyncio.wait_for(socket.recv(), PATIENCE))


async def test_the_api_says_that_it_is_online(chat: RunningServer, http: ClientSession) -> None:
    async with http.get(chat.url + "/test") as answer:
        assert (answer.status, await answer.json()) == (200, {"msg": "API is Online"})


async def test_a_token_comes_with_a_new_session(chat: RunningServer, http: ClientSession) -> None:
    async with http.post(chat.url + "/token", params={"name": "Ada"}) as answer:
        session = await answer.json()
    assert session.keys() >= {"name", "token", "session_start", "messages"}
    assert (session["name"], session["messages"]) == ("Ada", [])


async def test_a_missing_name_is_422_and_an_empty_one_400(
    chat: RunningServer, http: ClientSession
) -> None:
    async with http.post(chat.url + "/token") as missing:
        assert missing.status == 422
    async with http.post(chat.url + "/token?name=") as empty:
        detail = {"loc": "name", "msg": "Enter a valid name"}
        assert (empty.status, await empty.json()) == (400, {"detail": detail})


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_living_token_brings_back_the_session_and_its_history(
    chat: RunningServer, http: ClientSession, method: str
) -> None:
    token = await a_token(http, chat.url)
    async with connect(ws(chat.url, f"/chat?token={token}")) as socket:
        await socket.send("hello")
        assert await heard(socket) == "hello"
    async with http.request(method, f"{chat.url}/refresh_token?token={token}") as answer:
        session: dict[str, Any] = await answer.json()
    assert answer.status == 200
    assert (session["name"], session["token"]) == ("Ada", token)
    assert [message["msg"] for message in session["messages"]] == ["hello", "hello"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_expired_or_unknown_token_brings_back_nothing(
    server: StartServer, http: ClientSession, method: str
) -> None:
    chat = await server(token_seconds=1)
    token = await a_token(http, chat.url)

    async def status(of: str) -> int:
        async with http.request(method, f"{chat.url}/refresh_token?token={of}") as answer:
            return answer.status

    assert await status(token) == 200
    assert await status("nobodys") == 400
    await eventually(lambda: _is(status(token), 400))


async def _is(asked: Any, expected: int) -> bool:
    return bool(await asked == expected)


async def test_tokens_live_for_an_hour_unless_set_otherwise(chat: RunningServer) -> None:
    assert chat.settings.token_seconds == 3_600


@pytest.mark.parametrize("query", ["", "?token=", "?token=nobodys"])
async def test_without_a_living_token_the_socket_is_refused_before_accept(
    chat: RunningServer, query: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(ws(chat.url, f"/chat{query}"))
    assert refused.value.response.status_code == 403


async def test_an_expired_token_is_refused_before_accept(
    server: StartServer, http: ClientSession
) -> None:
    chat = await server(token_seconds=1)
    token = await a_token(http, chat.url)

    async def is_refused() -> bool:
        try:
            async with connect(ws(chat.url, f"/chat?token={token}")):
                return False
        except InvalidStatus as refused:
            return refused.response.status_code == 403

    assert await eventually(is_refused)


async def test_a_reply_goes_to_its_own_session_alone(
    chat: RunningServer, http: ClientSession
) -> None:
    ada, bob = [await a_token(http, chat.url, name) for name in ("Ada", "Bob")]
    async with (
        connect(ws(chat.url, f"/chat?token={ada}")) as of_ada,
        connect(ws(chat.url, f"/chat?token={bob}")) as of_bob,
    ):
        await of_ada.send("secret")
        assert await heard(of_ada) == "secret"
        await of_bob.send("mine")
        assert await heard(of_bob) == "mine"
    assert "secret" not in await history(http, chat.url, bob)


async def test_several_messages_are_answered_in_order(
    chat: RunningServer, http: ClientSession
) -> None:
    token = await a_token(http, chat.url)
    said = [f"message {number}" for number in range(10)]
    async with connect(ws(chat.url, f"/chat?token={token}")) as socket:
        for text in said:
            await socket.send(text)
        assert [await heard(socket) for _ in said] == said


async def test_the_bot_sees_the_last_four_messages(
    server: StartServer, http: ClientSession
) -> None:
    bot = ScriptedBot("model")
    chat = await server(bots=[bot], default_bot="model")
    token = await a_token(http, chat.url)
    async with connect(ws(chat.url, f"/chat?token={token}")) as socket:
        for number in range(3):
            await socket.send(f"question {number}")
            bot.answers([f"answer {number}"])
            assert await heard(socket) == f"answer {number}"
    seen = [event.data["text"] for event in bot.contexts[-1].messages]
    assert seen == ["answer 0", "question 1", "answer 1", "question 2"]


async def test_a_reply_made_while_the_client_was_away_is_there_when_it_comes_back(
    server: StartServer, http: ClientSession
) -> None:
    bot = ScriptedBot("model")
    chat = await server(bots=[bot], default_bot="model")
    token = await a_token(http, chat.url)
    async with connect(ws(chat.url, f"/chat?token={token}")) as socket:
        await socket.send("Think about it.")
        await eventually(lambda: bot.contexts)
    bot.answers(["Done."])
    await eventually(lambda: _has(history(http, chat.url, token), "Done."))
    async with connect(ws(chat.url, f"/chat?token={token}")) as socket:
        assert await heard(socket) == "Done."


async def _has(asked: Any, expected: str) -> bool:
    return expected in await asked


async def test_a_separate_worker_answers_also_who_is_away_meanwhile(
    http: ClientSession, tmp_path: Path, postgres: PostgresServer, shared_redis: RedisServer
) -> None:
    database_url = await postgres.fresh()
    shared: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": shared_redis.url,
        "redis_prefix": tmp_path.name[-60:],
        "default_bot": "echo",
    }
    unused = tmp_path / "unused.db"
    server = ServerProcess(unused, tmp_path / "server.log", replies_concurrency=0, **shared)
    worker = WorkerProcess(unused, tmp_path / "worker.log", **shared)
    try:
        await asyncio.to_thread(server.start)
        token = await a_token(http, server.url)
        async with connect(ws(server.url, f"/chat?token={token}")) as socket:
            await socket.send("Is anybody there?")
            await eventually(lambda: _has(history(http, server.url, token), "Is anybody there?"))
        assert len(await history(http, server.url, token)) == 1
        await asyncio.to_thread(worker.start)
        await eventually(lambda: _is(_count(history(http, server.url, token)), 2))
        async with connect(ws(server.url, f"/chat?token={token}")) as socket:
            assert await heard(socket) == "Is anybody there?"
    finally:
        worker.kill()
        server.kill()
        await postgres.give_back(database_url)


async def _count(asked: Any) -> int:
    return len(await asked)


async def test_pages_of_configured_origins_alone_are_let_in(
    chat: RunningServer, http: ClientSession
) -> None:
    async with http.get(chat.url + "/test", headers={"Origin": PAGE}) as allowed:
        assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    async with http.get(chat.url + "/test", headers={"Origin": "https://evil.example"}) as other:
        assert "Access-Control-Allow-Origin" not in other.headers
    token = await a_token(http, chat.url)
    async with connect(ws(chat.url, f"/chat?token={token}"), origin=PAGE):  # type: ignore[arg-type]
        pass
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            ws(chat.url, f"/chat?token={token}"),
            origin="https://evil.example",  # type: ignore[arg-type]
        )
    assert refused.value.response.status_code == 403
