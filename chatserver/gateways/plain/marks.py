"""How far a client has read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import WSCloseCode, web

from chatserver.chat.errors import ChatError

PAUSE_SECONDS = 1.0
"""The least between two marks that are stored."""


class ReadMarks:
    """What was sent into a dead connection was not read: each mark follows a pong.

    A client answers pings in order with all else that it takes in. One that closes the connection
    in order has taken all.
    """

    def __init__(
        self, ws: web.WebSocketResponse, mark: Callable[[int], Awaitable[object]], read: int
    ) -> None:
        """`mark` stores a seq; `read` is the one that is stored."""
        self._ws = ws
        self._mark = mark
        self._stored = self._read = self._sent = read
        self._asked = 0
        self._moved = asyncio.Event()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Stores them now and then, and in the end, when `ws` is closed."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if self._ws.close_code not in (None, WSCloseCode.ABNORMAL_CLOSURE):
                self._read = self._sent
            await self._store()

    async def sent(self, seq: int) -> None:
        self._sent = seq
        await self._ask()

    async def answered(self, pong: bytes) -> None:
        if not self._asked or pong != _payload(self._asked):
            return  # to the heartbeat, or to nothing
        self._read, self._asked = self._asked, 0
        self._moved.set()
        await self._ask()

    async def _ask(self) -> None:
        """One question at a time: what is sent meanwhile is asked for by the next."""
        if not self._asked and self._sent > self._read:
            self._asked = self._sent
            await self._ws.ping(_payload(self._asked))

    async def _keep(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            await self._store()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _store(self) -> None:
        seq = self._read
        if seq > self._stored:
            # Where it cannot be stored now, a later one will be, or what was read comes again.
            with suppress(ChatError):
                await self._mark(seq)
                self._stored = seq


def _payload(seq: int) -> bytes:
    return str(seq).encode()
