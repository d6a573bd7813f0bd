"""Whatever a client sends over either transport, nothing of it stays."""

import json
from pathlib import Path
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chatserver.app import SERVER
from tests.servers import start_server
from tests.waiting import eventually

PACKETS = [
    "2",
    "3",
    "5",
    "41/chat,",
    '42/chat,1["list_sessions",{}]',
    '42/chat,["create_session",{"title":"a"}]',
    "43/chat,1[]",
    '451-/chat,["list_sessions",{"_placeholder":true,"num":0}]',
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A packet that would be fine but for a few characters."""
    text = draw(st.sampled_from(PACKETS))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text(max_size=2)) + text[place + draw(st.integers(0, 2)) :]
    return text.encode("utf-8", "replace").decode()


FRAMES = st.lists(st.one_of(mutated(), st.text(max_size=20), st.binary(max_size=20)), max_size=8)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(frames=FRAMES, is_polling=st.booleans(), is_connected=st.booleans())
async def test_nothing_is_left_of_a_client_that_sends_anything(
    tmp_path_factory: Any, frames: list[str | bytes], is_polling: bool, is_connected: bool
) -> None:
    database: Path = tmp_path_factory.mktemp("frames") / "chat.db"
    running = await start_server(database)
    sockets = running.app[SERVER].sockets
    first = ["40/chat," + json.dumps({"token": await running.token()})] if is_connected else []
    try:
        async with aiohttp.ClientSession() as http:
            with capture_logs() as logs:
                send = _poll if is_polling else _stream
                await send(http, f"{running.url}/socket.io/", [*first, *frames])
                await eventually(lambda: not sockets.eio.sockets)
                await eventually(lambda: not sockets.rooms_manager.rooms)
        assert not sockets.environ
        assert sockets.eio.sessions.census.total == 0
        assert not [entry for entry in logs if entry["log_level"] in ("warning", "error")]
    finally:
        await running.stop()


async def _stream(http: aiohttp.ClientSession, url: str, frames: list[str | bytes]) -> None:
    async with http.ws_connect(url, params={"EIO": "4", "transport": "websocket"}) as socket:
        for frame in frames:
            if isinstance(frame, bytes):
                await socket.send_bytes(frame)
            else:
                await socket.send_str(frame.encode("utf-8", "replace").decode())
        await socket.send_str("1")


async def _poll(http: aiohttp.ClientSession, url: str, frames: list[str | bytes]) -> None:
    query = {"EIO": "4", "transport": "polling"}
    async with http.get(url, params=query) as answer:
        query["sid"] = json.loads((await answer.text())[1:])["sid"]
    for frame in [*frames, "1"]:
        body = frame if isinstance(frame, bytes) else frame.encode("utf-8", "replace")
        async with http.post(url, params=query, data=body) as answer:
            assert answer.status in (200, 400)
