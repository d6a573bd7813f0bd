"""The bots of a server, made of what it declares."""

import pytest
from structlog.testing import capture_logs

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.echo import EchoBot
from chatserver.bots.roster import Roster
from chatserver.bots.unconfigured import UnconfiguredBot
from chatserver.chat.ports import Bot, BotError
from tests.talks import prompt
from tests.unit.bots.models import FakeModelBot, declaration

ECHO = EchoBot(1000)
DOWN = BotError("model_unavailable", "The model is away.", retryable=True)


def roster(*declared: ModelBotDeclaration, **secrets: str) -> Roster:
    return Roster([ECHO], declared, FakeModelBot, secrets.get)


async def said(bot: Bot) -> str:
    return "".join([piece async for piece in bot.reply(prompt("hello"))])


def test_a_bot_gets_the_key_of_its_variable_or_none_where_it_needs_none() -> None:
    made = roster(declaration("a"), declaration("b", key_variable=None), KEY="sesame")
    assert [bot.info.name for bot in made.bots] == ["echo", "a", "b"]
    a, b = made.models["a"], made.models["b"]
    assert isinstance(a, FakeModelBot)
    assert isinstance(b, FakeModelBot)
    assert (a.key, b.key) == ("sesame", None)


def test_every_bot_is_described_by_its_model_where_by_nothing_else() -> None:
    made = roster(
        declaration("a", model="small"),
        declaration("b", description="plans journeys", key_variable=None),
        declaration("c", model="large", key_variable=None),
    )
    assert {name: bot.info.description for name, bot in made.models.items()} == {
        "a": "answers with the model small",
        "b": "plans journeys",
        "c": "answers with the model large",
    }


async def test_a_bot_without_its_key_is_there_and_says_so() -> None:
    made = roster(declaration("a"))
    bot = made.models["a"]
    assert isinstance(bot, UnconfiguredBot)
    assert bot.info.name == "a"
    assert bot.info.description
    with pytest.raises(BotError) as failed:
        await said(bot)
    assert failed.value.error.code == "bot_not_configured"
    assert "KEY" not in failed.value.error.message, "people are not told of variables"
    with pytest.raises(BotError, match="KEY is not set"):
        await bot.check()


def test_a_missing_key_is_one_error_in_the_log() -> None:
    made = roster(declaration("a"), declaration("b", key_variable=None))
    with capture_logs() as logs:
        made.report_unconfigured()
    assert logs == [
        {"event": "bot_not_configured", "log_level": "error", "bot": "a", "variable": "KEY"}
    ]


async def test_a_built_in_bot_may_be_the_fallback_of_one_without_a_key() -> None:
    made = roster(declaration("a", fallback="echo"))
    assert [await said(bot) for bot in made.bots] == ["hello", "hello"]


async def test_fallbacks_are_followed_to_their_end() -> None:
    made = roster(
        declaration("a", fallback="b"),
        declaration("b", fallback="c"),
        declaration("c", model="last"),
        KEY="k",
    )
    for name in "ab":
        bot = made.models[name]
        assert isinstance(bot, FakeModelBot)
        bot.failing = DOWN
    _, a, b, c = made.bots
    assert [await said(bot) for bot in (a, b, c)] == ["last saw 1"] * 3
    assert [bot.info.name for bot in (a, b, c)] == ["a", "b", "c"]


async def test_closing_closes_every_model() -> None:
    made = roster(declaration("a", fallback="b"), declaration("b"), KEY="k")
    await made.close()
    assert all(isinstance(bot, FakeModelBot) and bot.closed for bot in made.models.values())
