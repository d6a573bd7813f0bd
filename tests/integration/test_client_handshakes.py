"""ChatClient at an address where, for the moment, something answers that is no chat server."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSCloseCode, web

from chatserver.client import Backoff, ChatClient, Connecting, GaveUp, NotConnected, Status
from tests.waiting import eventually

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def saying(text: str) -> Answer:
    """Accepts the upgrade, and sends that."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = await upgraded(request)
        await socket.send_str(text)
        await socket.receive()
        return socket

    return answer


async def bytes_instead(request: web.Request) -> web.WebSocketResponse:
    socket = await upgraded(request)
    await socket.send_bytes(b"\x00\xff")
    await socket.receive()
    return socket


async def close_frame(request: web.Request) -> web.WebSocketResponse:
    socket = await upgraded(request)
    await socket.close(code=WSCloseCode.SERVICE_RESTART)
    return socket


async def abort(request: web.Request) -> web.WebSocketResponse:
    socket = await upgraded(request)
    cut(request)
    return socket


async def not_http(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.write(b"220 mail.example.com ESMTP\r\n")
    cut(request)
    return web.Response()


async def elsewhere(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "ftp://127.0.0.1/"})


async def upgraded(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    return socket


def cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()


@asynccontextmanager
async def listener(answer: Answer) -> AsyncIterator[str]:
    """Answers every handshake so; gives the URL."""
    app = web.Application()
    app.router.add_get("/socket.io/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def entering(url: str, told: list[Status]) -> AsyncIterator["asyncio.Task[ChatClient]"]:
    """A client on its way in, closed at the end."""
    soon = Backoff(first=0.01, cap=0.02)
    client = ChatClient(url, token="anybody's", backoff=soon, on_status=told.append)
    way_in = asyncio.create_task(client.__aenter__())
    try:
        yield way_in
    finally:
        await client.close()
        await asyncio.wait([way_in])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(abort, id="the TCP connection's end"),
        pytest.param(close_frame, id="a close frame"),
        pytest.param(saying("hello"), id="another text"),
        pytest.param(saying(""), id="an empty text"),
        pytest.param(bytes_instead, id="bytes"),
        pytest.param(saying("0"), id="an opening with nothing in it"),
        pytest.param(saying('0{"sid":"x"}'), id="an opening with too little in it"),
        pytest.param(
            saying('0{"sid":"x","upgrades":[],"pingInterval":1e999,"pingTimeout":1}'),
            id="an opening with a pause without end",
        ),
        pytest.param(not_http, id="another protocol than HTTP"),
        pytest.param(elsewhere, id="a redirect to what is not HTTP"),
    ],
)
async def test_a_handshake_that_breaks_is_tried_again(answer: Answer) -> None:
    told = list[Status]()
    async with listener(answer) as url, entering(url, told) as way_in:
        await eventually(lambda: len(told) >= 3)
    assert [type(status) for status in told[:3]] == [Connecting] * 3
    assert told[-1] == GaveUp(None)
    assert isinstance(way_in.exception(), NotConnected)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is only forgotten is closed by the collector, some time, with a complaint."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_a_handshake_that_breaks_leaves_no_connection_open() -> None:
    ended = 0

    async def no_opening(request: web.Request) -> web.StreamResponse:
        nonlocal ended
        socket = await saying("hello")(request)
        ended += 1
        return socket

    async with listener(no_opening) as url, entering(url, []):
        await eventually(lambda: ended >= 3)
