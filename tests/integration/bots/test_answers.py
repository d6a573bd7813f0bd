"""OpenAiBot and a model that answers."""

import asyncio

import pytest

from chatserver.chat.ports import BotError
from chatserver.testing import (
    Behaviour,
    Ending,
    FakeModel,
    Refuse,
    Silence,
    Speak,
    Usage,
    context_too_long,
    hang,
    huge,
    unauthorized,
)
from tests.integration.bots.conftest import Ask
from tests.talks import said, talk
from tests.waiting import PATIENCE, eventually


async def test_an_answer_comes_whole_and_its_usage_is_observed(ask: Ask) -> None:
    async with FakeModel(Speak(("Hel", "lo."), usage=Usage(9, 4, 1)), key="secret-key") as model:
        ada = ask(model)
        outcome = await ada.answer("Hi")
    assert outcome.text == "Hello."
    assert outcome.error is None
    assert ada.observed.usage == [("ada", 9, 4, 1)]
    assert ada.observed.kinds == []
    assert model.open_streams == 0


async def test_the_request_is_what_was_declared_and_brings_the_key(ask: Ask) -> None:
    async with FakeModel(key="secret-key") as model:
        await ask(model, temperature=0.5, max_tokens=99).answer("Hi")
    (request,) = model.requests
    assert request.key_matched
    assert request.body == {
        "model": "fake-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 99,
    }


async def test_an_endpoint_without_a_key_is_sent_none_not_even_that_of_the_environment(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-somebody-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "of-somebody-else")
    async with FakeModel() as model:
        outcome = await ask(model, key=None, key_variable=None).answer()
    assert outcome.error is None
    (request,) = model.requests
    assert request.key_matched is None
    assert "of-somebody-else" not in str(request)


async def test_the_first_piece_is_yielded_while_the_model_still_works(ask: Ask) -> None:
    async with FakeModel(hang(["First"])) as model:
        reply = ask(model).bot.reply(talk(said("Hi")))
        assert await asyncio.wait_for(anext(reply), PATIENCE) == "First"
        assert model.open_streams == 1
        await reply.aclose()
        await eventually(lambda: model.open_streams == 0)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_reasoning_is_never_part_of_the_answer(ask: Ask, name: str) -> None:
    answer = Speak(("42",), reasoning=("So", " many"), reasoning_field=name)  # type: ignore[arg-type]
    async with FakeModel(answer) as model:
        assert (await ask(model).answer()).pieces == ["42"]


async def test_an_empty_answer_is_an_answer_without_pieces(ask: Ask) -> None:
    async with FakeModel(Speak(())) as model:
        outcome = await ask(model).answer()
    assert (outcome.pieces, outcome.error) == ([], None)


async def test_a_huge_answer_arrives_whole(ask: Ask) -> None:
    async with FakeModel(huge(2_000_000)) as model:
        outcome = await ask(model).answer()
    assert len(outcome.text) >= 2_000_000
    assert outcome.error is None


async def test_line_separators_of_unicode_do_not_break_a_piece(ask: Ask) -> None:
    pieces = ["a\u2028b\u0085c\x0bd\r\ne"]
    async with FakeModel(Speak(pieces)) as model:
        assert (await ask(model).answer()).pieces == pieces


async def test_an_answer_that_is_whole_does_not_wait_long_for_what_should_follow(ask: Ask) -> None:
    async with FakeModel(Speak(ending=Ending.FINISHED_THEN_HANG)) as model:
        outcome = await asyncio.wait_for(ask(model).answer(), PATIENCE)
        await eventually(lambda: model.open_streams == 0)
    assert outcome.text == "Hello there."
    assert outcome.error is None


async def test_the_window_is_halved_down_to_the_prompt_until_the_model_takes_it(ask: Ask) -> None:
    refusals = [context_too_long(None)] * 3
    async with FakeModel(*refusals, Speak(("Fits.",))) as model:
        ada = ask(model, window=8)
        outcome = await ada.answer(*"abcdefghij")
    assert outcome.text == "Fits."
    contents = [request.body["messages"][-1]["content"] for request in model.requests]
    assert contents == ["\n\n".join(texts) for texts in ("cdefghij", "ghij", "ij", "j")]
    assert ada.observed.kinds == ["context_length"] * 3


async def test_a_prompt_that_does_not_fit_alone_is_too_long(ask: Ask) -> None:
    async with FakeModel(default=context_too_long(None)) as model:
        outcome = await ask(model, window=4).answer("a", "b", "c", "d")
    assert outcome.code == "context_too_long"
    assert outcome.error is not None
    assert not outcome.error.error.retryable
    assert len(model.requests) == 3


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Speak(), None),
        (Refuse(400, message="max_tokens or model output limit was reached"), None),
        (unauthorized(), "bot_not_configured"),
        (Refuse(404, "model_not_found"), "bot_not_configured"),
        (Refuse(400), "model_refused"),
        (Refuse(503), "model_unavailable"),
        (Speak(ending=Ending.GARBAGE), "model_unavailable"),
        (Silence(), "model_timeout"),
    ],
    ids=["fine", "too few tokens", "401", "404", "400", "503", "garbage", "silence"],
)
async def test_a_check_asks_for_one_token_once(
    ask: Ask, behaviour: Behaviour, code: str | None
) -> None:
    async with FakeModel(behaviour) as model:
        seconds = 1 if isinstance(behaviour, Silence) else 60
        ada = ask(model, first_token_seconds=seconds)
        if code is None:
            await ada.bot.check()
        else:
            with pytest.raises(BotError) as refused:
                await ada.bot.check()
            assert refused.value.error.code == code
            assert len(ada.observed.kinds) == 1
        await eventually(lambda: model.open_streams == 0)
    (request,) = model.requests
    assert request.body["max_tokens"] == 1
    assert "stream" not in request.body
