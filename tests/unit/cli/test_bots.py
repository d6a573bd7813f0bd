"""What `bots check` makes of an answer."""

from chatserver.chat.ports import BotError
from chatserver.cli.bots import checked
from tests.unit.bots.models import FakeModelBot, declaration


async def test_a_model_that_answers_is_ok_and_its_bot_is_closed() -> None:
    bot = FakeModelBot(declaration("gpt"), "sesame")
    result = await checked("gpt", bot)
    assert result.pop("ms") >= 0
    assert result == {"name": "gpt", "ok": True}
    assert bot.closed


async def test_a_model_that_fails_is_told_by_code_and_message() -> None:
    bot = FakeModelBot(declaration("gpt"), "sesame")
    bot.failing = BotError("model_unavailable", "The model is away.", retryable=True)
    result = await checked("gpt", bot)
    assert result.pop("ms") >= 0
    assert result == {
        "name": "gpt",
        "ok": False,
        "code": "model_unavailable",
        "message": "The model is away.",
    }
    assert bot.closed
