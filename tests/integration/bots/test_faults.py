"""OpenAiBot and a model that fails, in every way the double knows.

Each fault has the code that a person's client is told, the kinds that are counted, and the number
of requests that were made; none leaves anything running at the model.
"""

import asyncio
import logging
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from chatserver.testing import (
    Behaviour,
    Ending,
    FakeModel,
    Refuse,
    Silence,
    Speak,
    bad_request,
    broken_off,
    content_filtered,
    context_too_long,
    cut,
    garbage,
    hang,
    keep_alives,
    rate_limited,
    server_error,
    unauthorized,
)
from tests.integration.bots.conftest import Ask
from tests.talks import said, talk
from tests.waiting import PATIENCE, eventually

SOON = 1.0
"""A deadline that a test waits for; long enough for a busy machine to connect, and to talk."""


@dataclass(frozen=True)
class Fault:
    behaviour: Behaviour
    code: str
    kind: str
    declared: dict[str, Any] = field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    requests: int = 1
    retryable: bool = True


FIRST = {"first_token_seconds": SOON}
IDLE = {"idle_seconds": SOON}
TOTAL = {"total_seconds": SOON}
TWICE = {"retries": 1}
UNAVAILABLE, TIMEOUT, REFUSED = "model_unavailable", "model_timeout", "model_refused"
SAID = ("One ", "two")

FAULTS = {
    # Before the first piece; what may pass is tried again.
    "500": Fault(server_error(), UNAVAILABLE, "server_error", TWICE, requests=2),
    "503": Fault(server_error(503), UNAVAILABLE, "server_error", TWICE, requests=2),
    "500 without retries": Fault(server_error(), UNAVAILABLE, "server_error", {"retries": 0}),
    "429": Fault(rate_limited(), "quota_exceeded", "rate_limited", TWICE, requests=2),
    "429 for an hour": Fault(rate_limited(3600), "quota_exceeded", "rate_limited"),
    "429 beyond the end": Fault(
        rate_limited(30), "quota_exceeded", "rate_limited", {"total_seconds": 25}
    ),
    "no quota": Fault(Refuse(429, "insufficient_quota"), "quota_exceeded", "quota"),
    "cut": Fault(cut(), UNAVAILABLE, "cut", TWICE, requests=2),
    "broken off": Fault(broken_off(), UNAVAILABLE, "cut", TWICE, requests=2),
    "error in the stream": Fault(
        Speak((), ending=Ending.ERROR), UNAVAILABLE, "server_error", TWICE, requests=2
    ),
    # What will not pass is not.
    "401": Fault(unauthorized(), "bot_not_configured", "not_configured", retryable=False),
    "404": Fault(Refuse(404), "bot_not_configured", "not_configured", retryable=False),
    "400": Fault(bad_request(), REFUSED, "refused", retryable=False),
    "400 of the filter": Fault(bad_request("content_filter"), REFUSED, "refused", retryable=False),
    "filter": Fault(content_filtered(), REFUSED, "refused", retryable=False),
    "too long": Fault(context_too_long(), "context_too_long", "context_length", retryable=False),
    "garbage": Fault(garbage(), UNAVAILABLE, "garbage"),
    "silence": Fault(Silence(), TIMEOUT, "first_token_timeout", FIRST),
    "hang": Fault(hang(), TIMEOUT, "first_token_timeout", FIRST),
    "keep-alives": Fault(keep_alives(), TIMEOUT, "first_token_timeout", FIRST),
    "silence to the end": Fault(Silence(), TIMEOUT, "total_timeout", TOTAL),
    # After it, nothing is tried again.
    "hang later": Fault(hang(SAID), TIMEOUT, "idle_timeout", IDLE, SAID),
    "keep-alives later": Fault(keep_alives(SAID), TIMEOUT, "idle_timeout", IDLE, SAID),
    "cut later": Fault(cut(SAID), UNAVAILABLE, "cut", pieces=SAID),
    "broken off later": Fault(broken_off(SAID), UNAVAILABLE, "cut", pieces=SAID),
    "garbage later": Fault(garbage(SAID), UNAVAILABLE, "garbage", pieces=SAID),
    "error later": Fault(
        Speak(SAID, ending=Ending.ERROR), UNAVAILABLE, "server_error", pieces=SAID
    ),
    "filter later": Fault(content_filtered(SAID), REFUSED, "refused", pieces=SAID, retryable=False),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_every_fault_ends_in_an_error_that_a_person_understands(
    ask: Ask, fault: Fault
) -> None:
    async with FakeModel(default=fault.behaviour) as model:
        ada = ask(model, **fault.declared)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
        assert outcome.code == fault.code
        assert outcome.error is not None
        assert outcome.error.error.retryable is fault.retryable
        assert outcome.text == "".join(fault.pieces)
        assert len(model.requests) == fault.requests
        assert ada.observed.kinds == [fault.kind] * fault.requests
        await eventually(lambda: model.open_streams == 0, within=1.0)


async def test_a_model_that_cannot_be_reached_is_tried_again_and_then_unavailable(
    ask: Ask, unused_tcp_port: int
) -> None:
    ada = ask(f"http://127.0.0.1:{unused_tcp_port}/v1", retries=2)
    outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert outcome.code == "model_unavailable"
    assert ada.observed.kinds == ["connect"] * 3


@pytest.mark.parametrize(
    "behaviour", [server_error(), rate_limited(0), cut()], ids=["500", "429", "cut"]
)
async def test_what_passes_before_the_first_piece_is_not_noticed(
    ask: Ask, behaviour: Behaviour
) -> None:
    async with FakeModel(behaviour, behaviour) as model:
        outcome = await ask(model).answer()
    assert outcome.error is None
    assert outcome.text == "Hello there."
    assert len(model.requests) == 3


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
async def test_retry_after_is_waited_for(ask: Ask, as_date: bool) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    async with FakeModel(rate_limited(date if as_date else 1)) as model:
        asked = time.monotonic()
        outcome = await ask(model).answer()
        assert time.monotonic() - asked >= 1.0
    assert outcome.error is None
    assert len(model.requests) == 2


async def test_a_total_deadline_ends_a_model_that_never_stops_talking(ask: Ask) -> None:
    async with FakeModel(Speak(("on and ",) * 10_000, pace=0.01)) as model:
        outcome = await asyncio.wait_for(ask(model, total_seconds=1).answer(), PATIENCE)
        assert outcome.code == "model_timeout"
        assert outcome.text.startswith("on and on and ")
        await eventually(lambda: model.open_streams == 0, within=1.0)


async def test_a_model_that_reasons_is_alive(ask: Ask) -> None:
    """It thinks for longer than either deadline, but never for so long without a word."""
    thoughts = ("Hm",) * 40
    async with FakeModel(Speak(("42",), reasoning=thoughts, pace=0.05)) as model:
        outcome = await ask(model, first_token_seconds=1.5, idle_seconds=1.5).answer()
    assert outcome.error is None
    assert outcome.text == "42"


async def test_a_slow_reader_is_not_held_against_the_model(ask: Ask) -> None:
    """The pieces wait in the socket for longer than the model may be silent."""
    async with FakeModel(Speak(("a", "b", "c"), pace=0.01)) as model:
        reply = ask(model, idle_seconds=SOON).bot.reply(talk(said("Hi")))
        pieces = [await anext(reply)]
        await asyncio.sleep(2 * SOON)  # the subject, not a synchronisation
        pieces += [piece async for piece in reply]
    assert "".join(pieces) == "abc"


@pytest.mark.parametrize(
    "behaviour",
    [Silence(), hang(), hang(SAID), keep_alives()],
    ids=["silence", "before", "after", "keep-alives"],
)
async def test_cancellation_ends_the_stream_at_the_model(ask: Ask, behaviour: Behaviour) -> None:
    async with FakeModel(behaviour) as model:
        answering = asyncio.create_task(ask(model).answer())
        await eventually(lambda: model.open_streams == 1)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        await eventually(lambda: model.open_streams == 0, within=1.0)
    assert len(model.requests) == 1


async def test_a_stop_while_waiting_to_try_again_asks_nothing_more(ask: Ask) -> None:
    async with FakeModel(default=rate_limited(20)) as model:
        ada = ask(model)
        answering = asyncio.create_task(ada.answer())
        await eventually(lambda: ada.observed.kinds)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
    assert len(model.requests) == 1


@pytest.mark.parametrize("key", [None, "", "of two\nlines", "schlüssel"])
async def test_without_a_usable_key_nothing_is_asked(ask: Ask, key: str | None) -> None:
    async with FakeModel() as model:
        ada = ask(model, key=key)
        assert (await ada.answer()).code == "bot_not_configured"
    assert model.requests == []
    assert ada.observed.kinds == ["not_configured"]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_neither_the_key_nor_what_was_written_gets_into_the_log(
    ask: Ask, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The endpoint quotes both; the libraries may say all that they would to a developer."""
    caplog.set_level(logging.DEBUG)
    quoting = Refuse(status, "my-own-words", "my own words", "secret-key said: my own words")
    async with FakeModel(default=quoting) as model:
        outcome = await ask(model, retries=0).answer("my own words")
    assert outcome.error is not None
    logged = caplog.text + "".join(traceback.format_exception(outcome.error))
    assert f"status {status}" in logged
    assert "secret-key" not in logged
    assert "my own words" not in logged
