"""Endpoints that know the bound of an answer by another name, or not at all."""

import asyncio
from collections.abc import Sequence

import pytest

from chatserver.chat.ports import BotError
from chatserver.testing import Behaviour, FakeModel, ModelRequest, Silence, Speak, unsupported
from tests.integration.bots.conftest import Ask
from tests.waiting import PATIENCE, eventually

OLD, NEW = "max_tokens", "max_completion_tokens"
OTHER = {OLD: NEW, NEW: OLD}


class Knowing:
    """Refuses every name of the bound that it does not know."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __call__(self, request: ModelRequest) -> Behaviour:
        for name in named([request]):
            if name not in self._names:
                return unsupported(name, OTHER[name])
        return Speak()


def named(requests: Sequence[ModelRequest]) -> list[str]:
    """The bounds that were sent."""
    return [name for request in requests for name in OTHER if name in request.body]


async def test_an_endpoint_that_knows_another_name_is_asked_by_it_from_then_on(ask: Ask) -> None:
    async with FakeModel(default=Knowing(NEW)) as model:
        ada = ask(model, max_tokens=99, retries=0)
        answers = [await ada.answer(), await ada.answer()]
    assert [answer.text for answer in answers] == ["Hello there."] * 2
    assert named(model.requests) == [OLD, NEW, NEW]
    assert [request.body.get(NEW) for request in model.requests] == [None, 99, 99]
    assert ada.observed.kinds == []


async def test_two_requests_that_are_refused_at_once_do_not_change_the_name_back(ask: Ask) -> None:
    async with FakeModel(default=Knowing(NEW)) as model:
        ada = ask(model, max_tokens=99, retries=0)
        answers = await asyncio.gather(ada.answer(), ada.answer())
    assert [answer.text for answer in answers] == ["Hello there."] * 2
    assert named(model.requests).count(NEW) == 2


async def test_a_bound_of_no_known_name_is_a_matter_for_the_operator(ask: Ask) -> None:
    async with FakeModel(default=Knowing()) as model:
        ada = ask(model, max_tokens=99)
        assert (await ada.answer()).code == "bot_not_configured"
    assert named(model.requests) == [OLD, NEW]
    assert ada.observed.kinds == ["not_configured"]


async def test_a_check_finds_the_name_that_replies_then_use(ask: Ask) -> None:
    async with FakeModel(default=Knowing(NEW)) as model:
        ada = ask(model, max_tokens=99)
        await ada.bot.check()
        assert (await ada.answer()).error is None
    assert [request.body.get(NEW) for request in model.requests] == [None, 1, 99]


async def test_a_check_does_not_call_a_bot_working_whose_replies_fail(ask: Ask) -> None:
    async with FakeModel(default=Knowing()) as model:
        ada = ask(model, max_tokens=99)
        with pytest.raises(BotError) as refused:
            await ada.bot.check()
        assert (await ada.answer()).code == refused.value.error.code == "bot_not_configured"


async def test_the_first_token_is_due_once_for_both_names(ask: Ask) -> None:
    async with FakeModel(unsupported(OLD, NEW), Silence()) as model:
        ada = ask(model, max_tokens=99, first_token_seconds=1)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
        await eventually(lambda: model.open_streams == 0, within=1.0)
    assert (outcome.code, ada.observed.kinds) == ("model_timeout", ["first_token_timeout"])
