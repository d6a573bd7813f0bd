"""Each status that the contract lists for an operation below `/chats` can be had. (That there are
no others, `Chats` sees to in every test of that door.)
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from chatserver.gateways.chats import API
from chatserver.testing import ScriptedBot
from tests.integration.answers import Answered
from tests.integration.doors.chats_client import As, Chats
from tests.integration.operations import FAILURES, JSON, NOT_JSON, Operations, Pair
from tests.servers import StartServer

CHATS = Operations(API, {"say_in_chat": {"content": "hello"}}, API.prefix)

NOTHING = {"chat_id": "nothing"}

REFUSED: dict[int, dict[str, Any]] = {
    401: {"headers": {"Authorization": "Bearer nobody's"}},
    403: {"headers": {"Origin": "https://evil.example"}},
    404: {},
    **NOT_JSON,
}
"""How guests ask for what is not there, by the status of their refusal."""

PROVOKED_FOR_ALL = {422, 429, *REFUSED, *FAILURES}
"""Statuses of errors for which a test here asks all operations that list them."""


def test_no_status_of_an_error_is_left_out() -> None:
    CHATS.require_provoked(PROVOKED_FOR_ALL, STORIES)


async def test_requests_are_refused_for_what_they_bring(server: StartServer, client: As) -> None:
    guest = client(await server(guests="private"))
    for status, how in REFUSED.items():
        await CHATS.assert_all_answer(status, guest, NOTHING, **how)
    for route in CHATS.declaring(422):
        unfit: dict[str, Any] = (
            {"data": b"{", "headers": JSON} if route.body else {"params": {"limit": "0"}}
        )
        await CHATS.assert_answers(422, guest, route, NOTHING, **unfit)


async def test_too_many_requests_are_refused(server: StartServer, client: As) -> None:
    guest = client(await server(guests="private", requests_per_second=0.001))
    assert (await guest.call("GET", "/chats")).status == 200
    await CHATS.assert_all_answer(429, guest, NOTHING)


async def test_every_operation_may_fail(
    server: StartServer, client: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = client(await server(guests="private"))
    await CHATS.assert_all_may_fail(guest, NOTHING, monkeypatch)


# --- refusals that take a story ------------------------------------------------------------------


async def too_many_chats(ada: Chats, bot: ScriptedBot, patch: pytest.MonkeyPatch) -> Answered:
    await ada.start()
    return await ada.call("POST", "/chats")


async def nobody_answers(ada: Chats, bot: ScriptedBot, patch: pytest.MonkeyPatch) -> Answered:
    chat_id = await ada.start()
    muted = await ada.call("PATCH", f"/api/v1/sessions/{chat_id}", json={"reply_policy": "off"})
    assert muted.status == 200
    return await ada.say(chat_id, "hello?")


async def the_bot_fails(ada: Chats, bot: ScriptedBot, patch: pytest.MonkeyPatch) -> Answered:
    bot.fail()
    return await ada.say(await ada.start(), "hello")


async def the_bot_is_late(ada: Chats, bot: ScriptedBot, patch: pytest.MonkeyPatch) -> Answered:
    patch.setattr("chatserver.gateways.chats.messages.ANSWER_SECONDS", 0.0)
    return await ada.say(await ada.start(), "hello")


STORIES: dict[Pair, Callable[[Chats, ScriptedBot, pytest.MonkeyPatch], Awaitable[Answered]]] = {
    ("start_chat", 409): too_many_chats,
    ("say_in_chat", 409): nobody_answers,
    ("say_in_chat", 502): the_bot_fails,
    ("say_in_chat", 504): the_bot_is_late,
}
"""With a bot that says nothing unless it is told to, where nobody may have two chats."""


@pytest.mark.parametrize(("operation", "status"), STORIES)
async def test_what_contradicts_the_state_of_things_or_gets_no_answer_is_refused(
    server: StartServer,
    client: As,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    status: int,
) -> None:
    bot = ScriptedBot()
    running = await server(
        bots=[bot], default_bot="scripted", sessions_per_participant=1, drain_seconds=0.0
    )
    ada = client(running, token=await running.token())
    answered = await STORIES[operation, status](ada, bot, monkeypatch)
    assert answered.status == status, answered


# --- what is done --------------------------------------------------------------------------------


async def test_every_status_of_success_can_be_had(server: StartServer, client: As) -> None:
    guest = client(await server(guests="private"))
    assert {pair async for pair in everything_is_done(guest)} == CHATS.declared_successes()


async def everything_is_done(guest: Chats) -> AsyncIterator[Pair]:
    """Each operation, and the status that it was answered with."""
    routes = {route.name: route for route in API.routes}
    started = await CHATS.ask(guest, routes["start_chat"], {})
    yield "start_chat", started.status
    ids = {"chat_id": started.body["id"]}
    for name in ("list_chats", "say_in_chat", "read_chat", "summarize_chat", "delete_chat"):
        yield name, (await CHATS.ask(guest, routes[name], ids)).status
