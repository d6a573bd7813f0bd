"""Bots with a budget of tokens, and a model that counts."""

from pathlib import Path

from chatserver.bots.openai.estimate import estimate_messages
from chatserver.testing import FakeModel, ModelRequest, Speak, Usage, context_too_long
from tests.conftest import Connect
from tests.integration.bots.conftest import Ask
from tests.integration.protocol.people import session_of
from tests.servers import StartServer

LONG = "0123456789" * 30
"""About a hundred tokens."""


def estimated(request: ModelRequest) -> float:
    return estimate_messages(request.body["messages"])


def texts_shown(request: ModelRequest) -> int:
    return sum(message["content"].count(LONG) for message in request.body["messages"])


async def test_as_many_messages_are_sent_as_the_budget_has_room_for(ask: Ask) -> None:
    async with FakeModel(default=Speak(usage=None)) as model:
        outcome = await ask(model, context_tokens=600).answer(*[LONG] * 20)
    assert outcome.text == "Hello there."
    (request,) = model.requests
    assert estimated(request) <= 600
    assert texts_shown(request) == 5


async def test_a_window_bounds_the_messages_of_a_budget(ask: Ask) -> None:
    async with FakeModel() as model:
        await ask(model, context_tokens=10_000, window=3).answer(*[LONG] * 20)
    assert texts_shown(model.requests[0]) == 3


async def test_a_prompt_beyond_the_budget_is_asked_alone(ask: Ask) -> None:
    async with FakeModel() as model:
        outcome = await ask(model, context_tokens=10).answer("before", LONG)
    assert outcome.error is None
    assert model.requests[0].body["messages"][1:] == [{"role": "user", "content": LONG}]


async def test_what_the_model_counts_changes_how_much_it_is_sent(ask: Ask) -> None:
    def counting(request: ModelRequest) -> Speak:
        return Speak(usage=Usage(prompt=round(2 * estimated(request))))

    async with FakeModel(default=counting) as model:
        ada = ask(model, context_tokens=10_000)
        for _ in range(3):
            await ada.answer(*[LONG] * 90)
    sizes = [estimated(request) for request in model.requests]
    assert sizes[0] > 9_000
    assert all(4_000 < size < 5_500 for size in sizes[1:])


async def test_a_model_that_refuses_is_sent_less_at_once_and_in_the_next_reply(ask: Ask) -> None:
    async with FakeModel(context_too_long(None), default=Speak(usage=None)) as model:
        ada = ask(model, context_tokens=2000)
        assert (await ada.answer(*[LONG] * 30)).text == "Hello there."
        assert (await ada.answer(*[LONG] * 30)).text == "Hello there."
    refused, answered, following = [estimated(request) for request in model.requests]
    assert answered < 0.6 * refused
    assert following < 0.65 * refused
    assert ada.observed.kinds == ["context_length"]


async def test_a_limit_that_the_model_states_is_found_at_once(ask: Ask) -> None:
    async with FakeModel(context_too_long(1000), default=Speak(usage=None)) as model:
        ada = ask(model, window=60)
        assert (await ada.answer(*[LONG] * 60)).text == "Hello there."
    refused, answered = [estimated(request) for request in model.requests]
    assert refused > 6000
    assert 700 < answered <= 900


async def test_a_limit_too_small_for_anything_ends_with_the_prompt_alone(ask: Ask) -> None:
    async with FakeModel(default=context_too_long(1)) as model:
        outcome = await ask(model, context_tokens=20_000).answer(*[LONG] * 200)
    assert outcome.code == "context_too_long"
    assert texts_shown(model.requests[-1]) == 1
    assert len(model.requests) <= 6


async def test_a_declared_budget_is_kept_to_and_lowered_in_a_whole_server(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    async with FakeModel(default=Speak(usage=None)) as model:
        file = tmp_path / "bots.toml"
        file.write_text(
            f'[[bot]]\nname = "ada"\nmodel = "m"\nbase_url = "{model.base_url}"\nprompt = "p"\n'
            'key_variable = ""\ncontext_tokens = 1000\n'
        )
        eve = await connect(await server(bots_file=file), "Eve")
        session_id = await session_of(eve, bot="ada")
        for number in range(14):
            if number == 12:
                model.then(context_too_long(None))
            await eve.say(session_id, f"{LONG} {number}")
            await eve.told("reply_finished", session_id=session_id)
    *within, refused, answered, following = [estimated(request) for request in model.requests]
    assert max(within) <= 1000
    assert within[-1] > 800
    assert answered < 0.7 * refused
    assert following < 0.7 * refused
