"""What a reply is told to have cost, whichever way it ends."""

import asyncio
import math
from contextlib import suppress
from dataclasses import replace

import pytest

from chatserver.bots.openai.estimate import estimate, estimate_messages
from chatserver.chat.ports import BotError
from chatserver.testing import (
    Behaviour,
    Ending,
    FakeModel,
    Silence,
    Speak,
    Usage,
    cut,
    hang,
    keep_alives,
    server_error,
)
from tests.integration.bots.conftest import Ask, Asked
from tests.talks import said, talk
from tests.waiting import PATIENCE

SHORT = {"first_token_seconds": 1, "idle_seconds": 1, "retries": 0}
THOUGHTS = ("So many ", "words. ") * 100
STUCK = Speak(("Once ",), THOUGHTS, ending=Ending.HANG)


async def spent(ada: Asked) -> list[int]:
    """By one reply, in tokens; whether it fails does not matter."""
    told: list[int] = []
    context = replace(talk(said("Hi")), spend=told.append)

    async def answer() -> None:
        async for _ in ada.bot.reply(context):
            pass

    with suppress(BotError):
        await asyncio.wait_for(answer(), PATIENCE)
    return told


@pytest.mark.parametrize(
    ("behaviour", "said_so_far"),
    [
        (hang(), ""),
        (keep_alives(), ""),
        (cut(), ""),
        (replace(STUCK, pieces=()), "".join(THOUGHTS)),
        (STUCK, "".join(THOUGHTS) + "Once "),
        (replace(STUCK, ending=Ending.DONE, usage=None), "".join(THOUGHTS) + "Once "),
    ],
    ids=["silent", "only keep-alives", "cut", "thinking", "in its answer", "whole, not counted"],
)
async def test_where_nobody_counts_it_is_the_estimate_of_what_was_sent_and_said(
    ask: Ask, behaviour: Behaviour, said_so_far: str
) -> None:
    async with FakeModel(behaviour) as model:
        told = await spent(ask(model, **SHORT))
    sent = estimate_messages(model.requests[0].body["messages"])
    assert told == [math.ceil(sent + estimate(said_so_far))]


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (Silence(), []),
        (server_error(), []),
        (Speak(THOUGHTS, THOUGHTS, usage=Usage(60, 20, 7)), [80]),
    ],
    ids=["no status line", "refused", "counted"],
)
async def test_what_was_not_begun_costs_nothing_and_what_was_counted_as_much(
    ask: Ask, behaviour: Behaviour, told: list[int]
) -> None:
    async with FakeModel(behaviour) as model:
        assert await spent(ask(model, **SHORT)) == told
