"""How long conversations of widgets live, and what is left of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO

import pytest
import structlog

from chatserver.app import SERVER
from chatserver.observability.logs import configure_logs
from tests.integration.doors.rasa import Widget, rasa_clients
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What a server writes; the test run's own logging comes back afterwards."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level, stream = root.level, StringIO()
    configure_logs("json", "debug", stream)
    yield stream
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def widget() -> AsyncIterator[Widget]:
    async with rasa_clients() as start:
        yield start


async def test_a_session_lives_on_while_somebody_is_connected(
    server: StartServer, widget: Widget
) -> None:
    running = await server(token_seconds=1)
    ada = await widget(running)
    session_id = await ada.request()
    before = (await running.service.authenticate(session_id)).expires_at

    async def has_been_renewed_past_its_life() -> bool:
        identity = await running.service.authenticate(session_id)
        return (identity.expires_at - before).total_seconds() > 1

    await eventually(has_been_renewed_past_its_life)
    await ada.asks("hello")
    assert not ada.inbox.all("session_confirm")[1:]


async def test_nothing_of_a_connection_is_left_behind(server: StartServer, widget: Widget) -> None:
    running = await server()
    parts = running.app[SERVER]
    tasks = len(asyncio.all_tasks())
    for hurry in (False, True):
        ada = await widget(running)
        if hurry:  # and be gone before it is done
            await ada.sio.emit("session_request", {})
        else:
            await ada.request()
            await ada.asks("hello")
        await ada.close()
    await eventually(lambda: not parts.connections._by_sid)
    await eventually(lambda: parts.sockets.census.total == 0)
    await eventually(lambda: not parts.feed._rooms)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
    assert not parts.sockets.rooms_manager.rooms
    assert not parts.sockets.namespace_handlers["/"]._widgets


async def test_a_server_that_stops_ends_all_conversations(
    server: StartServer, widget: Widget
) -> None:
    running: RunningServer = await server()
    ada = await widget(running)
    await ada.request()
    await running.app.shutdown()
    await eventually(lambda: not ada.sio.connected)
    assert not running.app[SERVER].connections._by_sid


async def test_no_session_id_is_in_the_log(
    server: StartServer, widget: Widget, log: StringIO
) -> None:
    running = await server(log_level="debug")
    ada = await widget(running)
    session_id = await ada.request()
    await ada.asks("a secret")
    await ada.utter("x" * 9_000)
    await ada.inbox.take("bot_uttered")
    await running.service.revoke_token(session_id)
    await eventually(lambda: not running.app[SERVER].connections._by_sid)
    await (await widget(running)).request(session_id)
    assert "reply_ended" in log.getvalue()
    assert session_id not in log.getvalue()
    assert "a secret" not in log.getvalue()
