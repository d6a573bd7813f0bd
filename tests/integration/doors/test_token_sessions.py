"""`/token`, `/refresh_token` and `/test`, for clients that were made for another server."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from chatserver.chat.errors import Unavailable
from chatserver.gateways import token_sessions
from tests.integration.doors.plain_clients import ask, hear, own_session, plain
from tests.servers import RunningServer, StartServer

GONE = {"detail": "Session expired or does not exist"}
FRIEND = {"Origin": "https://friend.example"}


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def call(
    http: ClientSession, server: RunningServer, method: str, path: str, **query: str
) -> tuple[int, Any]:
    async with http.request(method, server.url + path, params=query) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


async def test_the_whole_way_of_a_client(server: StartServer, http: ClientSession) -> None:
    running = await server()
    assert await call(http, running, "GET", "/test") == (200, {"msg": "API is Online"})
    status, made = await call(http, running, "POST", "/token", name=" Ada ")
    assert (status, made["name"], made["messages"]) == (200, "Ada", [])
    assert set(made) == {"name", "token", "session_start", "messages"}
    assert datetime.fromisoformat(made["session_start"]).tzinfo
    async with plain(running, token=made["token"]) as ada:
        assert await ask(ada, "one") == "one"
        await ada.send("two")
        assert await hear(ada) == ["two"]
    for method in ("GET", "POST"):
        status, found = await call(http, running, method, "/refresh_token", token=made["token"])
        assert status == 200
        said = [(each["msg"], each["sender"]["kind"]) for each in found.pop("messages")]
        assert said == [("one", "user"), ("one", "bot"), ("two", "user"), ("two", "bot")]
        assert made == {**found, "messages": []}
    message = (await call(http, running, "GET", "/refresh_token", token=made["token"]))[1][
        "messages"
    ][0]
    assert set(message) == {"id", "msg", "timestamp", "sender"}
    assert datetime.fromisoformat(message["timestamp"]).tzinfo


async def test_a_name_is_needed_and_must_be_one(server: StartServer, http: ClientSession) -> None:
    running = await server()
    missing = {"type": "missing", "loc": ["query", "name"], "msg": "Field required"}
    assert await call(http, running, "POST", "/token") == (422, {"detail": [missing]})
    for name in ("", "  "):
        assert await call(http, running, "POST", "/token", name=name) == (
            400,
            {"detail": {"loc": "name", "msg": "Enter a valid name"}},
        )
    for name in ("x" * 61, "a\x00b", "a\nb"):
        status, body = await call(http, running, "POST", "/token", name=name)
        (detail,) = body["detail"]
        assert (status, detail["loc"], set(detail)) == (422, missing["loc"], set(missing))


async def test_a_worthless_token_has_no_session(server: StartServer, http: ClientSession) -> None:
    running = await server()
    service = running.service
    expired = (await service.issue_token("Ada", lifetime=timedelta(seconds=-1))).token
    revoked = (await service.issue_token("Ada")).token
    await service.revoke_token(revoked)
    for method in ("GET", "POST"):
        for token in ("", "unknown", expired, revoked):
            answer = await call(http, running, method, "/refresh_token", token=token)
            assert answer == (400, GONE)
        status, body = await call(http, running, method, "/refresh_token")
        assert (status, body["detail"][0]["loc"]) == (422, ["query", "token"])


async def test_a_token_of_any_door_has_a_session_until_that_is_deleted(
    server: StartServer, http: ClientSession
) -> None:
    running = await server()
    token = await running.token("Ada")
    status, found = await call(http, running, "GET", "/refresh_token", token=token)
    assert (status, found["name"], found["messages"]) == (200, "Ada", [])
    session_id = await own_session(running, token)
    await running.rest("DELETE", f"/api/v1/sessions/{session_id}", token=token)
    assert await call(http, running, "GET", "/refresh_token", token=token) == (400, GONE)


async def test_the_newest_of_a_long_history_is_shown_and_what_was_deleted_is_not(
    server: StartServer, http: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_sessions, "MAX_PAGE", 5)
    monkeypatch.setattr(token_sessions, "HISTORY_EVENTS", 20)
    running = await server(default_bot="")
    token = await running.token()
    session = await own_session(running, token)
    path = f"/api/v1/sessions/{session}/messages"
    for number in range(30):
        body = {"text": str(number), "client_message_id": str(number)}
        await running.rest("POST", path, body, token=token)
    await running.rest("DELETE", f"{path}/25", token=token)  # joining was the first: it says "23"
    _, found = await call(http, running, "GET", "/refresh_token", token=token)
    shown = [each["msg"] for each in found["messages"]]
    assert shown == [str(number) for number in range(11, 30) if number != 23]


async def test_too_many_new_tokens_or_looks_are_refused(
    server: StartServer, http: ClientSession
) -> None:
    running = await server(tokens_per_minute=2, requests_per_second=1.0)
    token = (await call(http, running, "POST", "/token", name="Ada"))[1]["token"]
    await running.rest("POST", "/api/v1/tokens", {"name": "Bob"})  # one rate for all doors
    refresh = ("GET", "/refresh_token", {"token": token})
    assert (await call(http, running, *refresh[:2], **refresh[2]))[0] == 200
    for method, path, query in (("POST", "/token", {"name": "Cy"}), refresh):
        async with http.request(method, running.url + path, params=query) as answer:
            assert (answer.status, set(await answer.json())) == (429, {"detail"})
            assert int(answer.headers["Retry-After"]) >= 1


async def test_what_breaks_on_our_side_is_told_as_such(
    server: StartServer, http: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    for failure, status in ((Unavailable("not now"), 503), (RuntimeError("secret"), 500)):

        async def fail(*_: object, failure: Exception = failure) -> None:
            raise failure

        monkeypatch.setattr(running.service, "own_session", fail)
        answered, body = await call(http, running, "POST", "/token", name="Ada")
        assert (answered, set(body)) == (status, {"detail"})
        assert "secret" not in str(body)


async def test_pages_of_allowed_origins_may_use_it_and_no_others(
    server: StartServer, http: ClientSession
) -> None:
    running = await server(allowed_origins=(FRIEND["Origin"],))
    preflight = {"Access-Control-Request-Method": "POST"}
    for method, path, extra, status in (
        ("GET", "/test", {}, 200),
        ("POST", "/token?name=Ada", {}, 200),
        ("POST", "/token", {}, 422),
        ("GET", "/refresh_token?token=x", {}, 400),
        ("OPTIONS", "/token", preflight, 204),
    ):
        async with http.request(method, running.url + path, headers=FRIEND | extra) as answer:
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] == FRIEND["Origin"]
        stranger = {"Origin": "https://stranger.example"} | extra
        async with http.request(method, running.url + path, headers=stranger) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_what_is_not_there_is_answered_as_before(
    server: StartServer, http: ClientSession
) -> None:
    running = await server()
    for method, path, status in (
        ("GET", "/token", 405),
        ("DELETE", "/refresh_token", 405),
        ("OPTIONS", "/token", 405),
        ("POST", "/test", 405),
        ("GET", "/token/x", 404),
        ("POST", "/", 405),
    ):
        async with http.request(method, running.url + path) as answer:
            assert (answer.status, answer.content_type) == (status, "text/plain")
