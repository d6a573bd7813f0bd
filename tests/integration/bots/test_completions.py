"""Upstream's answers in one piece: what is sent, what comes back, and every fault."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.completion import Completion
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.failures import Failure
from chatserver.bots.openai.prompt import Message
from chatserver.bots.openai.upstream import BODY_BYTES, Upstream
from chatserver.testing import (
    Behaviour,
    Ending,
    FakeModel,
    Refuse,
    Silence,
    Speak,
    bad_request,
    content_filtered,
    context_too_long,
    cut,
    garbage,
    hang,
    huge,
    rate_limited,
    server_error,
    unauthorized,
)
from chatserver.testing import Usage as Counted
from tests.waiting import PATIENCE, eventually

QUESTION: list[Message] = [{"role": "user", "content": "Anyone?"}]
SHAPE = {"type": "json_object"}


class Endpoint:
    """An upstream and the declaration it came from."""

    def __init__(self, model: FakeModel, **declared: Any) -> None:
        self.declaration = ModelBotDeclaration.model_validate(
            {"name": "ada", "model": "m", "prompt": "p", "base_url": model.base_url} | declared
        )
        self.upstream = Upstream(self.declaration, "secret-key")

    async def complete(self, **extra: Any) -> Completion:
        deadlines = Deadlines(self.declaration)
        return await self.upstream.complete(QUESTION, deadlines, extra=extra)


At = Callable[..., Endpoint]


@pytest.fixture
async def at() -> AsyncIterator[At]:
    async with AsyncExitStack() as stack:

        def make(model: FakeModel, **declared: Any) -> Endpoint:
            endpoint = Endpoint(model, **declared)
            stack.push_async_callback(endpoint.upstream.close)
            return endpoint

        yield make


async def test_a_completion_comes_as_a_whole_with_its_usage(at: At) -> None:
    answer = Speak(("Hel", "lo."), reasoning=("Hm",), usage=Counted(9, 4, 1))
    async with FakeModel(answer, key="secret-key") as model:
        assert await at(model).complete() == Completion("Hello.", Usage(9, 4, 1))


async def test_further_fields_are_sent_and_stronger_than_the_declared_ones(at: At) -> None:
    async with FakeModel() as model:
        endpoint = at(model, temperature=1.0, max_tokens=9)
        await endpoint.complete(response_format=SHAPE, max_tokens=99, temperature=0.0)
    (request,) = model.requests
    sent = {"model": "m", "messages": QUESTION, "response_format": SHAPE}
    assert request.body == {**sent, "max_tokens": 99, "temperature": 0.0}


async def test_an_answer_may_take_longer_than_the_first_token_of_a_stream(at: At) -> None:
    async with FakeModel(Speak(("One", " two"), pace=0.3)) as model:
        endpoint = at(model, first_token_seconds=0.1, idle_seconds=0.1)
        assert (await endpoint.complete()).text == "One two"


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "500": (server_error(), "server_error"),
    "429": (rate_limited(1), "rate_limited"),
    "no quota": (Refuse(429, "insufficient_quota"), "quota"),
    "401": (unauthorized(), "not_configured"),
    "400": (bad_request(), "refused"),
    "too long": (context_too_long(), "context_length"),
    "filter": (content_filtered(["Half"]), "refused"),
    "empty": (Speak(()), "empty"),
    "blank": (Speak((" ", "\n")), "empty"),
    "cut": (cut(["Half"]), "cut"),
    "garbage": (garbage(), "garbage"),
    "error in the body": (Speak(ending=Ending.ERROR), "server_error"),
    "without end": (huge(BODY_BYTES + 1), "garbage"),
    "silence": (Silence(), "total_timeout"),
    "hang": (hang(["Half"]), "total_timeout"),
}


@pytest.mark.parametrize(("behaviour", "kind"), FAULTS.values(), ids=FAULTS)
async def test_every_fault_is_a_failure_and_leaves_nothing_running(
    at: At, behaviour: Behaviour, kind: str
) -> None:
    seconds = 1 if kind == "total_timeout" else 60
    async with FakeModel(default=behaviour) as model:
        with pytest.raises(Failure) as raised:
            await asyncio.wait_for(at(model, total_seconds=seconds).complete(), PATIENCE)
        assert raised.value.kind == kind
        assert len(model.requests) == 1
        await eventually(lambda: model.open_streams == 0, within=1.0)


async def test_cancellation_ends_the_request_at_the_model(at: At) -> None:
    async with FakeModel(Silence()) as model:
        asking = asyncio.create_task(at(model).complete())
        await eventually(lambda: model.open_streams == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await eventually(lambda: model.open_streams == 0, within=1.0)
