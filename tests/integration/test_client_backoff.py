"""How soon ChatClient comes back after connections that were ready, and ended."""

import asyncio

import pytest

from chatserver.client import Backoff, ChatClient, Connected, Connecting, Status, backoff
from tests.servers import RunningServer, StartServer
from tests.wire import Wire

TIMES = 4


async def attempts(running: RunningServer) -> list[int]:
    """The numbers of the attempts to come back, each of which succeeded and was cut at once."""
    told: asyncio.Queue[Status] = asyncio.Queue()
    heard: list[int] = []
    soon = Backoff(first=0.05, cap=0.1)
    async with (
        asyncio.timeout(10),
        Wire(running.url) as wire,
        ChatClient(wire.url, name="Ada", backoff=soon, on_status=told.put_nowait),
    ):
        while len(heard) < TIMES:
            match await told.get():
                case Connected():
                    wire.cut()
                    await wire.mend()
                case Connecting() as again:
                    heard.append(again.attempt)
                case _:
                    pass
    return heard


async def test_connections_that_end_as_soon_as_they_are_ready_make_the_delays_grow(
    server: StartServer,
) -> None:
    assert await attempts(await server()) == [1, 2, 3, 4]


async def test_after_a_connection_that_lasted_the_delays_are_short_again(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "STEADY_SECONDS", 0.0)
    assert await attempts(await server()) == [1, 1, 1, 1]
