"""The namespace `/` as Rasa's web widgets speak it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.app import SERVER
from tests.conftest import Connect
from tests.integration.doors.rasa import Widget, rasa_clients, said_in
from tests.nodejs import node, web_package
from tests.servers import StartServer
from tests.waiting import PATIENCE, eventually


@pytest.fixture
async def widget() -> AsyncIterator[Widget]:
    async with rasa_clients() as start:
        yield start


@pytest.mark.parametrize("client", ["socket.io-client", "socket.io-client-3"])
@pytest.mark.parametrize("transports", ["websocket", "polling websocket"])
async def test_npms_clients_talk_as_well(server: StartServer, client: str, transports: str) -> None:
    running = await server()
    script = await asyncio.create_subprocess_exec(
        node(),
        str(Path(__file__).parent / "rasa.mjs"),
        env={
            **os.environ,
            "SERVER": running.url,
            "WEB_PACKAGE": str(web_package()),
            "CLIENT": client,
            "TRANSPORTS": transports,
        },
    )
    assert await asyncio.wait_for(script.wait(), PATIENCE) == 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_widget_gets_a_session_and_its_bots_final_texts(
    server: StartServer, widget: Widget, transport: str
) -> None:
    ada = await widget(await server(), transport)
    session_id = await ada.request()
    assert len(session_id) >= 43  # 256 bits in base64
    await ada.asks("Hello, how are you?")
    await ada.asks("/get_started")
    assert ada.heard == ["Hello, how are you?", "/get_started"]
    assert {name for name, _ in ada.inbox.everything} == {"session_confirm", "bot_uttered"}


async def test_a_known_session_goes_on_without_a_replay(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    await ada.asks("one")
    await ada.close()
    back = await widget(running)
    assert await back.request(session_id) == session_id
    await back.asks("two")
    assert back.heard == ["two"]
    assert await said_in(running, session_id, count=4) == ["one", "one", "two", "two"]


async def test_whoever_names_no_known_session_gets_a_new_one(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    unknown: list[Any] = [None, "", "unknown", 7, ["x"], {}, "x" * 5000, "\ud800", "a\x00b"]
    widgets = [await widget(running) for _ in unknown]
    ids = [await each.request(named) for each, named in zip(widgets, unknown, strict=True)]
    assert len({*ids}) == len(unknown)
    assert not [named for named in unknown if named in ids]
    await widgets[-1].asks("hello")


async def test_a_revoked_session_is_not_known_any_more(server: StartServer, widget: Widget) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    await running.service.revoke_token(session_id)
    await eventually(lambda: not running.app[SERVER].connections._by_sid)
    # The connection goes on, whether it asks first or just talks.
    await ada.utter("still here")
    await ada.hears("still here")
    assert await ada.confirmed() not in ("", session_id)
    assert await (await widget(running)).request(session_id) != session_id


async def test_a_session_is_made_when_something_is_said(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    assert (await running.rest("GET", "/api/v1/sessions", token=session_id))["sessions"] == []
    await ada.asks("hello")
    assert len((await running.rest("GET", "/api/v1/sessions", token=session_id))["sessions"]) == 1


async def test_who_talks_on_in_a_deleted_session_is_in_a_new_one(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    token = await ada.request()
    await ada.asks("hello")
    found = await running.rest("GET", "/api/v1/sessions", token=token)
    path = f"/api/v1/sessions/{found['sessions'][0]['id']}"
    await running.rest("DELETE", path, token=token)
    await ada.asks("is anybody there?")
    new = await ada.confirmed()
    assert new != token
    assert await said_in(running, new, count=2) == ["is anybody there?"] * 2
    back = await widget(running)
    await back.request(token)
    await back.asks("and here?")
    assert await back.confirmed() not in (token, new)


async def test_two_widgets_of_one_session_hear_its_bot_and_others_hear_nothing(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada, tab, eve = [await widget(running) for _ in range(3)]
    await tab.request(await ada.request())
    await eve.request()
    await ada.asks("a secret")
    await tab.hears("a secret")
    await eve.asks("and I?")
    assert eve.heard == ["and I?"]


async def test_a_person_who_takes_over_is_heard(
    server: StartServer, widget: Widget, connect: Connect
) -> None:
    running = await server()
    ada = await widget(running)
    token = await ada.request()
    await ada.asks("hello")
    mine = await connect(running, token=token)
    session = (await mine.do("list_sessions"))["sessions"][0]
    await mine.do("update_session", session_id=session["id"], visibility="link", reply_policy="off")
    eve = await connect(running, "Eve")
    await eve.do("join_session", session_id=session["id"])
    await eve.do("set_typing", session_id=session["id"], typing=True)
    await eve.say(session["id"], "I am a person")
    await ada.hears("I am a person")
    await ada.utter("thank you")
    await eve.told("message_created", text="thank you")
    assert ada.heard == ["hello", "I am a person"]


async def test_a_widget_that_talks_before_it_asks_is_given_a_session(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    await ada.utter("hello", session_id="unknown")
    session_id = await ada.confirmed()
    await ada.hears("hello")
    assert await ada.request("unknown") == session_id
    assert await ada.request() == session_id
    back = await widget(running)
    await back.utter("again", session_id=session_id)
    await back.hears("again")
    assert not back.inbox.all("session_confirm")
    assert await said_in(running, session_id, count=4) == ["hello", "hello", "again", "again"]


async def test_a_widget_may_move_to_another_session_that_it_knows(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada, eve = await widget(running), await widget(running)
    first, second = await ada.request(), await eve.request()
    assert await ada.request(second) == second
    await eve.asks("who is there?")
    await ada.hears("who is there?")
    assert await said_in(running, second, count=2)
    assert len(running.app[SERVER].connections._by_sid) == 2
    assert first != second


# --- said twice ----------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["sqlite", "haproxy-3"])
async def test_what_a_widget_sends_again_when_it_is_back_is_dropped(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    for text in ("yes", "no", "yes"):
        await ada.utter(text, session_id=None)  # as queued before the confirm
        await ada.hears(text)
    await ada.close()
    for round in range(2):
        back = await widget(running)
        await back.request(session_id)
        for text in ("yes", "no", "yes"):
            await back.utter(text, session_id=None)
        await back.asks(f"on purpose {round}")
        assert back.heard == [f"on purpose {round}"]
        await back.close()
    assert len(await said_in(running, session_id, count=10)) == 10


async def test_what_is_said_twice_on_purpose_is_heard_twice(
    server: StartServer, widget: Widget
) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    await ada.asks("yes")
    await ada.asks("yes")
    await ada.close()
    back = await widget(running)
    await back.request(session_id)
    await back.asks("yes")
    await back.asks("yes")
    assert await said_in(running, session_id, count=8) == ["yes"] * 8
