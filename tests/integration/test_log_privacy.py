import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from io import StringIO
from pathlib import Path

import asyncpg
import pytest
import structlog
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.models import BotInfo, Event
from chatserver.chat.ports import ReplyContext
from chatserver.observability.logs import configure_logs
from chatserver.store.postgres.store import PostgresStore
from chatserver.store.sqlite import sqlite_engine
from chatserver.summaries.titles import FirstWordsTitler
from tests.conftest import Connect
from tests.contract.seeding import say, seed
from tests.integration.models import Writer, writes
from tests.integration.protocol.people import session_of
from tests.postgres import PostgresServer
from tests.servers import RunningServer, StartServer
from tests.unit.bots.models import FakeModelBot, RememberingBot
from tests.waiting import eventually


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What a server writes; the test run's own logging comes back afterwards."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level, stream = root.level, StringIO()
    configure_logs("json", "info", stream)
    yield stream
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\x01\r\n\r\n",
        b"GET /api/v1/sessions?before=secret HTTP/9.9\r\nHost: x\r\n\r\n",
        b"secret nonsense\r\n\r\n",
    ],
)
async def test_a_request_that_is_not_http_is_refused_and_not_quoted_in_the_log(
    server: StartServer, log: StringIO, raw: bytes
) -> None:
    running = await server()
    assert b"400 Bad Request" in await _answer(running, raw)
    assert "secret" not in log.getvalue()


@pytest.mark.parametrize(
    "path", ["/chat?token={}", "/ws/Ada?token={}", "/socket.io/?EIO=4&transport=websocket"]
)
async def test_subprotocols_that_nobody_speaks_are_not_quoted_in_the_log(
    server: StartServer, log: StringIO, path: str
) -> None:
    running = await server()
    url = running.url + path.format(await running.token())
    async with ClientSession() as http, http.ws_connect(url, protocols=("secret",)):
        pass
    assert "secret" not in log.getvalue()


async def _answer(server: RunningServer, raw: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(raw)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def test_an_error_of_the_database_does_not_quote_what_it_was_given(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "chat.db")
    with engine.connect() as connection, pytest.raises(OperationalError) as failure:
        connection.execute(text("SELECT :said FROM nowhere"), {"said": "secret"})
    assert "secret" not in str(failure.value)


async def test_a_row_that_postgresql_refuses_is_not_quoted_in_the_log(
    postgres: PostgresServer, log: StringIO
) -> None:
    url = await postgres.fresh()
    database = await asyncpg.connect(url)
    await database.execute("ALTER TABLE event ADD CONSTRAINT broken CHECK (seq < 1)")
    store = PostgresStore(url, Limits())
    store.open()
    try:
        await seed(store)
        with pytest.raises(Unavailable):
            await say(store, text="secret")
    finally:
        await store.close()
        await database.execute("ALTER TABLE event DROP CONSTRAINT broken")
        await database.close()
        await postgres.give_back(url)
    assert "CheckViolationError" in log.getvalue()
    assert "secret" not in log.getvalue()


async def test_a_key_is_never_in_the_log_and_a_missing_one_is_there_once(
    server: StartServer,
    connect: Connect,
    log: StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOTS_TEST_KEY", "secret")
    bots = tmp_path / "bots.toml"
    bots.write_text(
        "".join(
            f'[[bot]]\nname = "{name}"\nmodel = "m"\nprompt = "p"\nkey_variable = "{variable}"\n'
            for name, variable in [("with", "BOTS_TEST_KEY"), ("without", "BOTS_TEST_NO_KEY")]
        )
    )
    running = await server(bots_file=bots, openai_key="secret", model_bots=FakeModelBot)
    ada = await connect(running)
    for bot, ending in (("with", "reply_finished"), ("without", "reply_failed")):
        session_id = await session_of(ada, bot=bot)
        for _ in range(2):
            await ada.say(session_id, "hello")
            await ada.told(ending, session_id=session_id)
    await running.stop()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    missing = [line for line in lines if line["event"] == "bot_not_configured"]
    assert [(line["level"], line["bot"], line["variable"]) for line in missing] == [
        ("error", "without", "BOTS_TEST_NO_KEY")
    ]
    assert "secret" not in log.getvalue()


async def test_a_fold_that_breaks_is_logged_by_its_kind_alone(
    server: StartServer, connect: Connect, log: StringIO
) -> None:
    bot = RememberingBot(RuntimeError("secret"))
    ada = await connect(await server(bots=[bot], default_bot="rememberer"))
    session_id = await session_of(ada, bot="rememberer")
    for _ in range(6):
        await ada.say(session_id, "secret")
        await ada.told("reply_finished", session_id=session_id)
    await eventually(lambda: "memory_not_folded" in log.getvalue())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (failed,) = [line for line in lines if line["event"] == "memory_not_folded"]
    assert (failed["bot"], failed["session"]) == ("rememberer", session_id)
    assert failed["kind"] == "RuntimeError"
    assert "secret" not in log.getvalue()


@pytest.mark.parametrize("answer", ["secret nonsense", '{"title": {"secret": 1}}'])
async def test_neither_what_was_said_nor_what_a_model_wrote_of_it_is_in_the_log(
    server: StartServer, connect: Connect, log: StringIO, answer: str
) -> None:
    writer = Writer()
    writer.writing = writes(answer)
    async with writer.model:
        running = await writer.serve(server, titles=True)
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "my secret plans")
        await ada.told("session_updated")
        await ada.do("summarize_session", session_id=session_id)
        await running.stop()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    fallen = {line["event"]: line["kind"] for line in lines if "fell_back" in line["event"]}
    assert fallen == {"title_fell_back": "bad_answer", "summary_fell_back": "bad_answer"}
    assert "secret" not in log.getvalue()


async def test_an_event_and_a_reply_that_crash_are_logged_without_their_words(
    server: StartServer, connect: Connect, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless:
        info = BotInfo(name="careless", description="says too much as it falls")

        async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
            yield "Oh, "
            raise RuntimeError(context.prompt.data["text"])

    running = await server(bots=[Careless()], default_bot="careless")
    ada = await connect(running)
    session_id = await session_of(ada, bot="careless")
    await ada.say(session_id, "my secret plans")
    await ada.told("reply_failed")

    async def crash(*_: object) -> None:
        raise RuntimeError("my secret plans")

    monkeypatch.setattr(running.service, "send_message", crash)
    payload = {"session_id": session_id, "text": "my secret plans", "client_message_id": "2"}
    refused = await ada.refused("send_message", payload)
    assert refused["correlation_id"] in log.getvalue()
    assert "reply_crashed" in log.getvalue()
    assert "secret" not in log.getvalue()


async def test_a_title_that_crashes_is_logged_by_the_kind_of_the_crash(
    server: StartServer, connect: Connect, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_: FirstWordsTitler, messages: Sequence[Event]) -> str:
        raise RuntimeError(messages[0].data["text"])

    monkeypatch.setattr(FirstWordsTitler, "title", crash)
    ada = await connect(await server(titles=True))
    session_id = await session_of(ada, bot="echo")
    await ada.say(session_id, "my secret plans")
    await eventually(lambda: "title_crashed" in log.getvalue())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (crashed,) = [line for line in lines if line["event"] == "title_crashed"]
    assert (crashed["session"], crashed["error"]) == (session_id, "builtins.RuntimeError")
    assert "secret" not in log.getvalue()


async def test_what_stands_in_an_address_is_not_in_the_log_even_where_a_door_crashes(
    server: StartServer, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(log_level="debug", thinking_notice="…")
    token = await running.token()
    refresh = f"/refresh_token?token={token}"
    async with ClientSession() as http:

        async def status(path: str, *, upgrade: bool = False) -> int:
            if not upgrade:
                return (await http.post(running.url + path)).status
            with pytest.raises(WSServerHandshakeError) as refused:
                await http.ws_connect(running.url + path)
            return refused.value.status

        async with http.ws_connect(f"{running.url}/chat?token={token}") as client:
            await client.send_str("secret")
            assert [(await client.receive_str()) for _ in range(2)] == ["…", "secret"]
            await client.send_bytes(b"secret")
            assert (await client.receive()).data == 1003
        assert await status("/chat?token=secret", upgrade=True) == 403
        assert await status("/token?name=secret%00") == 422
        assert await status("/refresh_token?token=secret") == 400
        assert await status(refresh) == 200

        async def crash(*_: object) -> None:
            raise RuntimeError("secret")

        async with http.ws_connect(f"{running.url}/chat?token={token}") as client:
            monkeypatch.setattr(running.service, "send_message", crash)
            await client.send_str("secret")
            while (told := await client.receive()).type is WSMsgType.TEXT:
                pass  # what was said before may be told again
            assert told.data == 1011
        monkeypatch.setattr(running.service, "own_session", crash)
        assert await status(f"/chat?token={token}", upgrade=True) == 500
        assert await status(refresh) == 500
    await running.stop()
    crashes = [line for line in log.getvalue().splitlines() if '"request_crashed"' in line]
    assert [json.loads(line)["path"] for line in crashes] == ["/chat", "/chat", "/refresh_token"]
    assert "secret" not in log.getvalue()
    assert token not in log.getvalue()
