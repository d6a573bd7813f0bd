import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from chatserver.chat.errors import Unavailable
from chatserver.store.sqlite import SqliteStore
from tests.integration.answers import Answered
from tests.integration.rest.world import Api, World

JSON = {"Content-Type": "application/json"}


def assert_problem(answered: Answered, status: int, code: str) -> None:
    assert answered.status == status, answered
    assert answered.headers["Content-Type"].startswith("application/problem+json")
    body = answered.body
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:chatserver:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert isinstance(body["retryable"], bool)


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/sessions/x/y/z", "/sessions/", "/%00"])
async def test_an_unknown_path_is_a_problem_document(ada: Api, path: str) -> None:
    assert_problem(await ada.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
async def test_an_unknown_method_is_answered_with_those_there_are(ada: Api, method: str) -> None:
    refused = await ada.call(method, "/sessions")
    assert_problem(refused, 405, "invalid_payload")
    assert set(refused.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}


async def test_head_is_get_without_the_body(ada: Api) -> None:
    head = await ada.call("HEAD", "/me")
    assert (head.status, head.body) == (200, None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"text": NaN}',
        b'{"text": Infinity}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\xff"}',
        b'{"text": "a\x00b"}',
        b'\xef\xbb\xbf{"text": "x"}',
        b"[]",
        b"null",
        b'"text"',
        b"7",
    ],
)
async def test_what_is_no_json_object_is_a_bad_request(ada: Api, raw: bytes) -> None:
    session_id = await ada.session()
    refused = await ada.post(f"/sessions/{session_id}/messages", data=raw, headers=JSON)
    assert_problem(refused, 400, "invalid_payload")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
async def test_another_content_type_is_refused(ada: Api, kind: str) -> None:
    refused = await ada.post("/sessions", data=b"{}", headers={"Content-Type": kind})
    assert_problem(refused, 415, "invalid_payload")


async def test_a_charset_does_not_matter(ada: Api) -> None:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert (await ada.post("/sessions", data=b"{}", headers=kind)).status == 201


@pytest.mark.parametrize("depth", [9, 1_000, 20_000])
async def test_json_nested_too_deep_is_refused(ada: Api, depth: int) -> None:
    raw = b'{"title": ' + b"[" * depth + b"]" * depth + b"}"
    refused = await ada.post("/sessions", data=raw, headers=JSON)
    assert_problem(refused, 422, "payload_too_deep")


async def test_a_body_over_the_limit_is_refused_announced_or_not(ada: Api) -> None:
    raw = orjson.dumps({"title": "x" * 70_000})

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 10_000):
            yield raw[start : start + 10_000]

    bodies: list[Any] = [raw, in_pieces()]
    for body in bodies:
        refused = await ada.post("/sessions", data=body, headers=JSON)
        assert_problem(refused, 413, "payload_too_large")


async def test_a_small_body_that_unpacks_large_is_refused(ada: Api) -> None:
    packed = gzip.compress(b'{"title": "' + b"x" * 10_000_000 + b'"}')
    refused = await ada.post("/sessions", data=packed, headers=JSON | {"Content-Encoding": "gzip"})
    assert_problem(refused, 413, "payload_too_large")


async def test_a_body_that_is_not_packed_as_announced_is_refused(ada: Api) -> None:
    refused = await ada.post("/sessions", data=b"{}", headers=JSON | {"Content-Encoding": "gzip"})
    assert_problem(refused, 400, "invalid_payload")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/sessions/a%00b/events", "session_id"),
        ("/sessions/a%20b/events", "session_id"),
        ("/sessions/%F0%9F%8D%B5/events", "session_id"),
        ("/sessions/" + "a" * 65 + "/events", "session_id"),
        ("/sessions/a/messages/0/reply", "seq"),
        ("/sessions/a/messages/-1/reply", "seq"),
        ("/sessions/a/messages/one/reply", "seq"),
        ("/sessions/a/messages/9007199254740992/reply", "seq"),
    ],
)
async def test_a_path_that_can_name_nothing_is_refused(ada: Api, path: str, field: str) -> None:
    refused = await ada.get(path)
    assert_problem(refused, 422, "invalid_payload")
    assert refused.body["field"] == field


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "MDAwMXx4", "MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OXx4", "%ED%A0%80"]
)
async def test_a_cursor_nobody_gave_out_is_refused(ada: Api, cursor: str) -> None:
    refused = await ada.get(f"/sessions?before={cursor}")
    assert refused.status in (200, 422), refused


async def test_a_crash_is_answered_with_what_finds_it_in_the_log(
    ada: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError(f"the text was 'secret words' and the token {ada.token}")

    monkeypatch.setattr(world.chat, "create_session", crash)
    with capture_logs() as logs:
        answered = await ada.post("/sessions", {"title": "secret words"})
    assert_problem(answered, 500, "internal")
    assert "secret" not in str(answered.body)
    (entry,) = logs
    assert entry["correlation_id"] == answered.body["correlation_id"]
    assert entry["error"] == "builtins.RuntimeError"
    assert "test_bad_requests.py" in str(entry["where"])
    assert "secret words" not in str(entry)
    assert str(ada.token) not in str(entry)


async def test_a_store_that_does_not_answer_is_worth_another_try(
    ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Unavailable("the store did not answer; try again")

    monkeypatch.setattr(SqliteStore, "transact", fail)
    refused = await ada.post("/sessions")
    assert_problem(refused, 503, "unavailable")
    assert refused.body["retryable"] is True
    assert refused.headers["Retry-After"] == "1"


async def test_a_refused_request_leaves_the_connection_usable(ada: Api) -> None:
    for _ in range(3):
        assert (await ada.post("/sessions", data=b"{", headers=JSON)).status == 400
        assert (await ada.get("/me")).status == 200


async def test_a_client_that_never_sends_its_body_is_let_go(
    ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.gateways.rest.bodies.BODY_SECONDS", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b'{"title": '
        await asyncio.Event().wait()

    refused = await ada.post("/sessions", data=never(), headers=JSON)
    assert_problem(refused, 400, "invalid_payload")
