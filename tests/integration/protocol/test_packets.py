"""Socket.IO packets that no library would send: the connection ends, everything else goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from chatserver.app import SERVER
from tests.conftest import Connect
from tests.integration.engine.conftest import close_code
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually

Bare = Any


@pytest.fixture
async def bare() -> AsyncIterator[Bare]:
    """A WebSocket to the server, connected to the namespace unless told otherwise."""
    async with aiohttp.ClientSession() as http:

        async def connect(
            running: RunningServer, *, namespace: bool = True
        ) -> aiohttp.ClientWebSocketResponse:
            socket = await http.ws_connect(f"{running.url}/socket.io/?EIO=4&transport=websocket")
            assert (await socket.receive_str())[0] == "0"
            if namespace:
                await socket.send_str("40/chat," + json.dumps({"token": await running.token()}))
                assert (await until(socket, "4")).startswith('40/chat,{"sid"')
                assert (await until(socket, "4")).startswith('42/chat,["welcome"')
            return socket

        yield connect


async def until(socket: aiohttp.ClientWebSocketResponse, start: str) -> str:
    """The first frame that begins so; pings before it are answered."""
    while not (frame := await socket.receive_str(timeout=PATIENCE)).startswith(start):
        if frame == "2":
            await socket.send_str("3")
    return frame


async def pinged(socket: aiohttp.ClientWebSocketResponse, times: int) -> None:
    """Time passes by heartbeats, each of which is answered."""
    for _ in range(times):
        await until(socket, "2")
        await socket.send_str("3")


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "packet",
    [
        "4",
        "4abc",
        "47",
        "42/chat,",
        "42/chat,{}",
        "42/chat,[]",
        "42/chat,[1]",
        "42/chat,[null,{}]",
        '42/chat,["connect",{}]',
        '42/chat,["disconnect"]',
        '42/chat,1["list_sessions",{}',
        '42/chat,abc["list_sessions",{}]',
        "42/chat," + "9" * 101 + '["list_sessions",{}]',
        '42/chat,²["list_sessions",{}]',
        '421-/chat,["list_sessions",{}]',
        '42["list_sessions",{}]',
        '42/other,["list_sessions",{}]',
        '42/chat,["list_sessions",NaN]',
        "42/chat," + DEEP,
        "43/chat,[]",
        "43/chat,0[]",
        "43/chat,1[]",
        "43/chat,1{}",
        "44/chat,{}",
        "40/chat,{}",
        "40/chat,[]",
        "40/chat,7",
        "41/chat,{}",
        '451000000000-/chat,["send_message",{"_placeholder":true,"num":0}]',
        '451-/chat,["send_message",{"_placeholder":true,"num":0}]',
        '450-/chat,["send_message",{}]',
        '461-/chat,1[{"_placeholder":true,"num":0}]',
        "48",
    ],
    ids=lambda text: text[:24],
)
async def test_a_bad_packet_ends_the_connection_and_frees_it(
    server: StartServer, connect: Connect, bare: Bare, packet: str
) -> None:
    running = await server(frame_bytes=500_000)
    ada = await connect(running, "Ada")
    socket = await bare(running)
    sockets = running.app[SERVER].sockets
    with capture_logs() as logs:
        await socket.send_str(packet)
        assert await close_code(socket) in (1002, 1003)
        await eventually(lambda: len(sockets.eio.sockets) == 1)
        await eventually(lambda: len(sockets.rooms_manager.rooms["/chat"][None]) == 1)
        await ada.caught_up()
    assert not [entry for entry in logs if entry["log_level"] in ("warning", "error")]


async def test_bytes_are_unsupported_data(server: StartServer, bare: Bare) -> None:
    socket = await bare(await server())
    await socket.send_bytes(b"\x00")
    assert await close_code(socket) == 1003


async def test_an_unknown_namespace_is_refused_in_the_words_of_the_protocol(
    server: StartServer, bare: Bare
) -> None:
    running = await server()
    socket = await bare(running, namespace=False)
    await socket.send_str("40/random")
    assert await socket.receive_str() == '44/random,{"message":"Invalid namespace"}'
    assert await close_code(socket) == 1008


async def test_a_connect_that_never_comes_ends_the_connection(
    server: StartServer, bare: Bare
) -> None:
    running = await server(authenticate_seconds=0.2)
    socket = await bare(running, namespace=False)
    assert await close_code(socket) == 1008
    assert not running.app[SERVER].sockets.eio.sockets


async def test_who_leaves_the_namespace_may_come_back_but_not_stay_outside(
    server: StartServer, bare: Bare
) -> None:
    running = await server(
        authenticate_seconds=0.3, ping_interval_seconds=0.2, ping_timeout_seconds=PATIENCE
    )
    socket = await bare(running)
    await socket.send_str("41/chat")
    await socket.send_str("40/chat," + json.dumps({"token": await running.token()}))
    await until(socket, "40/chat,")
    await pinged(socket, 3)
    await socket.send_str("41/chat")
    assert await close_code(socket) == 1008


async def test_a_welcome_comes_after_the_connect_it_welcomes(
    server: StartServer, bare: Bare
) -> None:
    running = await server()
    for _ in range(20):
        await bare(running)


async def test_draining_closes_sockets_so_that_clients_come_back(
    server: StartServer, bare: Bare
) -> None:
    running = await server()
    socket = await bare(running)
    stopping = asyncio.create_task(running.stop())
    assert await close_code(socket) == 1012
    await stopping


async def test_an_event_that_waits_for_its_commit_holds_up_no_ping(
    server: StartServer, bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the client answers is behind that event; it is not taken for gone."""
    running = await server(ping_interval_seconds=0.1, ping_timeout_seconds=1)
    socket = await bare(running)
    await socket.send_str('42/chat,1["create_session",{"bot":null}]')
    created = json.loads((await until(socket, "43/chat,1")).removeprefix("43/chat,1"))
    session_id = created[0]["data"]["session"]["id"]
    may_end = asyncio.Event()
    store = running.app[SERVER].store
    append = store.append_message

    async def slow(*args: Any) -> Any:
        await may_end.wait()
        return await append(*args)

    monkeypatch.setattr(store, "append_message", slow)
    message = {"session_id": session_id, "text": "slow", "client_message_id": "1"}
    await socket.send_str(f'42/chat,2["send_message",{json.dumps(message)}]')
    await pinged(socket, 3)
    may_end.set()
    assert '"ok":true' in await until(socket, "43/chat,2")
