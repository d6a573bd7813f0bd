"""Who answers where a bot fails, and that nobody is left speaking."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import pytest

from chatserver.bots.fallback import FallbackBot
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import Bot, BotError, ReplyContext
from chatserver.testing import ScriptedBot
from tests.talks import prompt
from tests.waiting import eventually


class Pair:
    """A bot with a fallback, as two scripts."""

    def __init__(self) -> None:
        self.first, self.second = ScriptedBot("first"), ScriptedBot("second")
        self.bot = FallbackBot(self.first, self.second)

    @property
    def closed(self) -> tuple[int, int]:
        return self.first.closed, self.second.closed


async def said(bot: Bot) -> list[str]:
    async with asyncio.timeout(5):
        return [piece async for piece in bot.reply(prompt())]


async def test_the_first_bot_answers_by_its_own_name() -> None:
    pair = Pair()
    pair.first.answers(["a"])
    assert pair.bot.info.name == "first"
    assert await said(pair.bot) == ["a"]
    assert pair.second.contexts == []
    assert pair.closed == (1, 0)


async def test_before_the_first_piece_the_fallback_answers_the_same_prompt() -> None:
    pair = Pair()
    pair.first.fail()
    pair.second.say("b", "c").end()
    assert await said(pair.bot) == ["b", "c"]
    assert pair.second.contexts == pair.first.contexts
    assert pair.closed == (1, 1)


async def test_an_empty_piece_is_not_heard_so_the_fallback_may_answer() -> None:
    pair = Pair()
    pair.first.say("").fail()
    pair.second.answers(["b"])
    assert "".join(await said(pair.bot)) == "b"


async def test_after_the_first_piece_the_error_goes_through() -> None:
    pair = Pair()
    pair.first.say("a").fail()
    with pytest.raises(BotError) as failed:
        await said(pair.bot)
    assert failed.value.error.code == "model_unavailable"
    assert pair.closed == (1, 0)


async def test_where_the_fallback_fails_its_error_goes_through() -> None:
    pair = Pair()
    pair.first.fail()
    pair.second.fail(BotError("other", "No.", retryable=False))
    with pytest.raises(BotError) as failed:
        await said(pair.bot)
    assert failed.value.error.code == "other"
    assert pair.closed == (1, 1)


async def test_a_defect_is_not_hidden_by_the_fallback() -> None:
    pair = Pair()
    pair.first.fail(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await said(pair.bot)
    assert pair.closed == (1, 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_whoever_speaks_is_closed_when_the_reply_is(fails: bool) -> None:
    pair = Pair()
    speaking = pair.second if fails else pair.first
    if fails:
        pair.first.fail()
    speaking.say("a", "b")
    pieces = cast(AsyncGenerator[str, None], pair.bot.reply(prompt()))
    assert await anext(pieces) == "a"
    await pieces.aclose()
    assert pair.closed == (1, int(fails))


@pytest.mark.parametrize("fails", [False, True])
async def test_whoever_is_waited_for_is_closed_when_the_reply_is_cancelled(fails: bool) -> None:
    pair = Pair()
    speaking = pair.second if fails else pair.first
    if fails:
        pair.first.fail()
    waiting = asyncio.create_task(said(pair.bot))
    await eventually(lambda: speaking.contexts)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pair.closed == (1, int(fails))


async def test_an_iterator_that_is_no_generator_will_do() -> None:
    class Letters:
        def __init__(self) -> None:
            self._left = ["a", "b"]

        def __aiter__(self) -> AsyncIterator[str]:
            return self

        async def __anext__(self) -> str:
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop(0)

    class Speller:
        info = BotInfo(name="speller", description="spells")

        def reply(self, context: ReplyContext) -> AsyncIterator[str]:
            return Letters()

    assert await said(FallbackBot(Speller(), ScriptedBot())) == ["a", "b"]
