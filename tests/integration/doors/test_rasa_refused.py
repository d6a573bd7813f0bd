"""What the namespace `/` refuses: in words that a widget can show, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
import socketio
from aiohttp import ClientSession

from chatserver.chat.errors import Unavailable
from chatserver.testing import ScriptedBot
from tests.integration.doors.rasa import Widget, rasa_clients, said_in
from tests.servers import StartServer
from tests.waiting import PATIENCE, eventually

NO_MESSAGES: list[Any] = [None, 7, "text", [], {}, ({}, {}), {"message": None}, ()]
UNSAYABLE = [
    ("", "A message needs some text"),
    (" \n\t", "A message needs some text"),
    ("x" * 21, "20"),
    ("a\x00b", "NUL"),
    ("\ud800", "Unicode"),
    (7, "string"),
    ({"text": "hello"}, "string"),
]


@pytest.fixture
async def widget() -> AsyncIterator[Widget]:
    async with rasa_clients() as start:
        yield start


async def test_what_cannot_be_said_is_answered_in_words(
    server: StartServer, widget: Widget
) -> None:
    running = await server(text_chars=20)
    ada = await widget(running)
    await ada.request()
    for message, answer in UNSAYABLE:
        await ada.utter(message)
        said = await ada.inbox.take("bot_uttered")
        assert set(said) == {"text"}
        assert answer in said["text"]
    await ada.asks("hello")
    assert await said_in(running, ada.id, count=2) == ["hello", "hello"]


async def test_what_cannot_be_said_begins_no_conversation(
    server: StartServer, widget: Widget
) -> None:
    ada = await widget(await server(text_chars=20, tokens_per_minute=1))
    for message, answer in UNSAYABLE:
        await ada.utter(message)
        assert answer in (await ada.inbox.take("bot_uttered"))["text"]
    assert not ada.inbox.all("session_confirm")
    await ada.asks("hello")  # which takes the only token there is
    assert len(ada.inbox.all("session_confirm")) == 1


@pytest.mark.parametrize("event", ["user_uttered", "session_request", "make_coffee"])
async def test_what_is_no_message_changes_nothing(
    server: StartServer, widget: Widget, event: str
) -> None:
    running = await server()
    ada = await widget(running)
    session_id = await ada.request()
    for payload in NO_MESSAGES:
        assert await ada.sio.call(event, payload, timeout=PATIENCE) is None
    await ada.asks("hello")
    assert set(ada.inbox.all("session_confirm")) == {session_id}
    assert await said_in(running, session_id, count=2) == ["hello", "hello"]


async def test_a_deep_payload_is_answered_in_words(server: StartServer, widget: Widget) -> None:
    ada = await widget(await server())
    await ada.request()
    deep = json.loads("[" * 200 + "]" * 200)
    await ada.utter("hello", metadata=deep)
    await ada.hears("A message comes in exactly one object.")
    await ada.asks("hello")


async def test_too_many_events_are_answered_in_words(server: StartServer, widget: Widget) -> None:
    ada = await widget(await server(events_per_second=0.001, events_burst=3))
    await ada.request()
    await ada.asks("one")
    await ada.utter("two")
    await ada.hears("Too many events; slow down.")


async def test_an_address_begins_no_more_conversations_than_it_gets_tokens(
    server: StartServer, widget: Widget
) -> None:
    running = await server(tokens_per_minute=1)
    ada, eve = await widget(running), await widget(running)
    session_id = await ada.request()
    await eve.sio.emit("session_request", {})
    await eve.hears("Too many conversations were begun from here; try again in a minute.")
    assert await eve.request(session_id) == session_id


async def test_a_widget_that_got_no_session_for_now_is_sent_to_connect_again(
    server: StartServer, widget: Widget, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    ada, bob = await widget(running), await widget(running)
    with monkeypatch.context() as for_now:
        for_now.setattr(running.service, "issue_token", AsyncMock(side_effect=Unavailable("later")))
        for each in (ada, bob):
            await each.sio.emit("session_request", {})
            await each.hears("Later.")
    await bob.request()  # in time
    await eventually(lambda: not ada.sio.connected)
    back = await widget(running)
    await back.request()
    await back.asks("hello")
    await bob.asks("hello")


async def test_a_reply_that_fails_is_told_in_words(server: StartServer, widget: Widget) -> None:
    bot = ScriptedBot("sage")
    ada = await widget(await server(bots=[bot], default_bot="sage"))
    await ada.request()
    bot.fail()
    await ada.utter("hello")
    await ada.hears("The model is away.")


async def test_one_connection_counts_once(server: StartServer, widget: Widget) -> None:
    running = await server(connections_per_address=1)
    ada = await widget(running)
    await ada.request()
    await ada.asks("hello")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await widget(running)


async def test_without_the_setting_there_is_no_such_namespace(server: StartServer) -> None:
    running = await server(rasa_namespace=False)
    async with (
        ClientSession() as http,
        http.ws_connect(f"{running.url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        await socket.receive_str()
        await socket.send_str("40")
        assert await socket.receive_str() == '44{"message":"Invalid namespace"}'
        assert (await socket.receive()).data == 1008
