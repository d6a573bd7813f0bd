import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from chatserver.app import create_app
from chatserver.gateways import headers
from chatserver.gateways.rest.routes import PREFIX
from chatserver.testing import ScriptedBot
from tests.integration.rest.world import Api, Client
from tests.servers import settings_for_test


@pytest.fixture
def bot() -> ScriptedBot:
    return ScriptedBot()


@pytest.fixture
async def ada(
    bot: ScriptedBot,
    tmp_path: Path,
    aiohttp_client: Callable[[web.Application], Awaitable[Client]],
) -> Api:
    settings = settings_for_test(tmp_path / "chat.db", default_bot="scripted")
    return await Api(await aiohttp_client(create_app(settings, [bot]))).named("Ada")


async def test_a_program_asks_and_gets_the_answer_in_one_request(
    ada: Api, bot: ScriptedBot
) -> None:
    bot.say("Fine, ", "thanks.").end()
    session_id = await ada.session()
    asked = await ada.post(f"/sessions/{session_id}/messages?wait=30", {"text": "How are you?"})
    assert asked.status == 201
    assert asked.body["reply"]["message"]["data"]["text"] == "Fine, thanks."
    events = (await ada.get(f"/sessions/{session_id}/events")).body["events"]
    assert events[-2:] == [asked.body["message"], asked.body["reply"]["message"]]


async def test_a_quota_that_is_used_up_says_when_to_come_back(
    tmp_path: Path, aiohttp_client: Callable[[web.Application], Awaitable[Client]]
) -> None:
    settings = settings_for_test(tmp_path / "few.db", replies_per_participant_day=1)
    ada = await Api(await aiohttp_client(create_app(settings))).named("Ada")
    session_id = await ada.session()
    await ada.say(session_id, "one")
    refused = await ada.post(f"/sessions/{session_id}/messages", {"text": "two"})
    assert (refused.status, refused.body["code"]) == (429, "quota_exceeded")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400


async def test_a_bot_that_breaks_off_ends_the_wait_with_the_reason(
    ada: Api, bot: ScriptedBot
) -> None:
    bot.fail()
    session_id = await ada.session()
    asked = await ada.post(f"/sessions/{session_id}/messages?wait=30", {"text": "How are you?"})
    reply = asked.body["reply"]
    assert (asked.status, reply["state"]) == (201, "failed")
    assert reply["error"]["code"] == "model_unavailable"


async def test_a_running_reply_is_stopped_by_its_id(ada: Api, bot: ScriptedBot) -> None:
    bot.say("Once upon a time")
    session_id = await ada.session()
    asked = await ada.post(f"/sessions/{session_id}/messages?wait=0.1", {"text": "A story?"})
    reply_id = asked.body["reply"]["reply_id"]
    assert (await ada.post(f"/sessions/{session_id}/replies/{reply_id}/stop")).status == 200
    location = asked.headers["Location"].removeprefix(PREFIX)
    ended = await ada.get(f"{location}?wait=30")
    assert (ended.status, ended.body["reply"]["state"]) == (200, "stopped")


async def test_a_server_that_stops_answers_whoever_waits_for_a_reply(ada: Api) -> None:
    session_id = await ada.session()
    asked = asyncio.create_task(
        ada.post(f"/sessions/{session_id}/messages?wait=60", {"text": "How are you?"})
    )
    while (await ada.get(f"/sessions/{session_id}")).body["session"]["last_seq"] < 3:
        pass
    app = ada.client.app
    assert app is not None
    async with asyncio.timeout(10):
        await app.shutdown()
        answered = await asked
    assert answered.status == 202
    assert answered.body["message"]["data"]["text"] == "How are you?"


async def test_the_whole_server_routes_what_the_contract_lists(ada: Api) -> None:
    app = ada.client.app
    assert app is not None
    served = {
        (route.method, route.resource.canonical)
        for resource in app.router.resources()
        for route in resource
        if route.resource is not None and route.resource.canonical.startswith(("/api/", "/chats"))
    }
    contract = (await ada.get("/openapi.json")).body
    OpenAPIV31SpecValidator(contract).validate()
    assert {each for each in served if each[0] != "HEAD"} == {
        (method.upper(), path)
        for path, operations in contract["paths"].items()
        for method in operations
    }
    chats = contract["paths"]["/chats/{chat_id}/messages"]["post"]
    assert chats["security"] == [{"bearer": []}, {}]
    assert {"201", "401", "404", "422", "502", "504"} <= chats["responses"].keys()


async def test_answers_and_errors_have_the_security_headers(ada: Api) -> None:
    for path in ("/me", "/nothing"):
        answered = await ada.get(path)
        assert answered.headers["Content-Security-Policy"] == headers.NO_PAGE
        assert answered.headers["X-Content-Type-Options"] == "nosniff"


async def test_operators_see_a_ready_server_and_what_it_answered(ada: Api) -> None:
    assert (await ada.client.get("/healthz")).status == 200
    ready = await ada.client.get("/readyz")
    assert ready.status == 200, await ready.text()
    metrics = await (await ada.client.get("/metrics")).text()
    assert 'chatserver_http_requests_total{operation="issue_token",status="201"} 1.0' in metrics
