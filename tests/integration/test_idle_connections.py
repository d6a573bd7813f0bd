"""Connections that ask for nothing, and those that end: none stays, each is counted."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.processes import StartProcess
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HT",
    ],
    ids=["nothing", "half a request", "one and a half"],
)
async def test_a_connection_without_a_whole_request_is_closed(
    server_process: StartProcess, sent: bytes
) -> None:
    process = await asyncio.to_thread(server_process, http_idle_seconds=0.3)
    address = urlsplit(process.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        while await reader.read(65_536):
            pass
    writer.close()


async def test_an_idle_websocket_stays(server_process: StartProcess) -> None:
    process = await asyncio.to_thread(
        server_process, http_idle_seconds=0.2, ping_interval_seconds=0.5, authenticate_seconds=60
    )
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{process.url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        assert (await socket.receive_str())[:1] == "0"
        assert await socket.receive_str(timeout=PATIENCE) == "2"
        await socket.send_str("3")
        assert await socket.receive_str(timeout=PATIENCE) == "2"


async def test_ended_sessions_are_counted_by_their_reason(server_process: StartProcess) -> None:
    process = await asyncio.to_thread(server_process)
    async with aiohttp.ClientSession() as http:
        for last in ("9", "1"):
            url = f"{process.url}/socket.io/?EIO=4&transport=websocket"
            async with http.ws_connect(url) as socket:
                await socket.send_str(last)
                async for _ in socket:
                    pass
        async with http.get(f"{process.url}/metrics") as answer:
            metrics = await answer.text()
    for reason in ("transport error", "client disconnect"):
        assert f'chatserver_connections_ended_total{{reason="{reason}"}} 1.0' in metrics
