"""The double itself, seen by a client that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from chatserver.testing import (
    Behaviour,
    FakeModel,
    Speak,
    Usage,
    broken_off,
    context_too_long,
    cut,
    hang,
    rate_limited,
    server_error,
)
from tests.waiting import PATIENCE, eventually

QUESTION = [{"role": "user", "content": "Anyone?"}]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


async def stream(http: aiohttp.ClientSession, model: FakeModel) -> list[Any]:
    """The chunks until `[DONE]`, or the end of the body."""
    body = {"messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    chunks: list[Any] = []
    async with http.post(f"{model.base_url}/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                data = line.removeprefix(b"data: ").strip()
                chunks.append("[DONE]" if data == b"[DONE]" else orjson.loads(data))
    return chunks


def deltas(chunks: list[Any], field: str) -> list[str]:
    found = [c["choices"][0]["delta"].get(field) for c in chunks if c != "[DONE]" and c["choices"]]
    return [text for text in found if text]


async def test_a_stream_has_reasoning_answer_finish_reason_usage_and_done_in_order(
    http: aiohttp.ClientSession,
) -> None:
    answer = Speak(("a", "b"), reasoning=("hm",), usage=Usage(3, 2, 1))
    async with FakeModel(answer) as model:
        chunks = await stream(http, model)
    assert deltas(chunks, "reasoning_content") == ["hm"]
    assert deltas(chunks, "content") == ["a", "b"]
    assert chunks[-3]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-2]["usage"]["completion_tokens_details"] == {"reasoning_tokens": 1}
    assert chunks[-1] == "[DONE]"


async def test_a_stream_broken_off_ends_in_order_and_a_cut_one_does_not(
    http: aiohttp.ClientSession,
) -> None:
    async with FakeModel(broken_off(["a"]), cut(["a"])) as model:
        assert deltas(await stream(http, model), "content") == ["a"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await stream(http, model)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [(rate_limited(3), 429), (server_error(), 500), (context_too_long(), 400)],
    ids=["429", "500", "400"],
)
async def test_refusals_have_their_status_and_an_error_object(
    http: aiohttp.ClientSession, behaviour: Behaviour, status: int
) -> None:
    async with (
        FakeModel(behaviour) as model,
        http.post(f"{model.base_url}/chat/completions", json={}) as response,
    ):
        assert response.status == status
        assert (await response.json())["error"]["message"]
        assert response.headers.get("Retry-After") == ("3" if status == 429 else None)


async def test_the_script_is_used_in_order_and_then_the_default(
    http: aiohttp.ClientSession,
) -> None:
    async with FakeModel(Speak(("one",)), default=Speak(("more",))) as model:
        said = [deltas(await stream(http, model), "content") for _ in range(3)]
    assert said == [["one"], ["more"], ["more"]]


async def test_an_open_stream_is_counted_until_its_client_leaves(
    http: aiohttp.ClientSession,
) -> None:
    async with FakeModel(hang(["a"])) as model:
        reading = asyncio.create_task(stream(http, model))
        await eventually(lambda: model.open_streams == 1)
        reading.cancel()
        await eventually(lambda: model.open_streams == 0)


async def test_a_key_is_compared_and_never_kept(http: aiohttp.ClientSession) -> None:
    async with FakeModel(key="right") as model:
        url = f"{model.base_url}/chat/completions"
        for key, status in (("right", 200), ("wrong", 401)):
            headers = {"authorization": f"Bearer {key}"}
            async with http.post(url, json={"messages": QUESTION}, headers=headers) as response:
                assert response.status == status
    assert [request.key_matched for request in model.requests] == [True, False]
    assert "Bearer" not in str(model.requests)


async def test_the_models_are_listed(http: aiohttp.ClientSession) -> None:
    async with FakeModel(name="tiny") as model, http.get(f"{model.base_url}/models") as response:
        assert [entry["id"] for entry in (await response.json())["data"]] == ["tiny"]


async def test_a_default_may_choose_by_the_request(http: aiohttp.ClientSession) -> None:
    async with FakeModel(
        default=lambda asked: Speak(("streamed",)) if asked.body.get("stream") else server_error()
    ) as model:
        assert deltas(await stream(http, model), "content") == ["streamed"]
        url = f"{model.base_url}/chat/completions"
        async with http.post(url, json={"messages": QUESTION}) as response:
            assert response.status == 500
