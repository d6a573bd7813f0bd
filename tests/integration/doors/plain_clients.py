"""Clients of the plain door, as any program would write them: text in, text out."""

import asyncio
from contextlib import suppress
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatserver.chat.models import Event, Participant
from tests.servers import RunningServer
from tests.waiting import PATIENCE


def address(server: RunningServer, **query: str) -> str:
    return f"{server.url.replace('http', 'ws', 1)}/chat?{urlencode(query)}"


def plain(server: RunningServer, *, page: str = "", **query: str) -> connect:
    """`async with plain(server, token=…) as client`, or awaited; `page` is its origin, if any."""
    return connect(
        address(server, **query),
        additional_headers={"Origin": page} if page else None,
        proxy=None,
        close_timeout=PATIENCE,
    )


async def hear(client: ClientConnection, count: int = 1) -> list[str]:
    """The next lines."""
    async with asyncio.timeout(PATIENCE):
        return [str(await client.recv()) for _ in range(count)]


async def ask(client: ClientConnection, text: str) -> str:
    await client.send(text)
    return (await hear(client))[0]


async def closing(client: ClientConnection) -> int:
    """The close code with which the server ends it."""
    with suppress(ConnectionClosed):
        while True:
            await hear(client)
    assert client.close_code is not None
    return client.close_code


async def refusal(server: RunningServer, *, page: str = "", **query: str) -> int:
    """The status with which it is refused before it is accepted."""
    try:
        async with plain(server, page=page, **query):
            raise AssertionError("it was accepted")
    except InvalidStatus as refused:
        return refused.response.status_code


async def own_session(server: RunningServer, token: str) -> str:
    return (await server.service.own_session(await server.service.authenticate(token))).id


async def who(server: RunningServer, token: str) -> Participant:
    return (await server.service.authenticate(token)).participant


async def log_of(server: RunningServer, session_id: str) -> list[Event]:
    return list(await server.service.store.read(lambda tx: tx.log.after(session_id, 0, 10_000)))


async def texts_of(server: RunningServer, session_id: str) -> list[str]:
    return [e.data["text"] for e in await log_of(server, session_id) if "text" in e.data]
