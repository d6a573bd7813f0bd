"""How far a client has read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from chatserver.chat.errors import ChatError
from chatserver.gateways.sockets import DoorSocket

PAUSE_SECONDS = 1.0
"""The least between two marks that are stored."""

QUESTIONS = 2
"""The most that wait for their pong: one about the newest line is under way as soon as may be."""


class ReadMarks:
    """What was sent but not read comes again: a line is read where a pong says so, and only there.

    A client answers pings in order with all else that it takes in. That it closes in order says
    nothing: who closes a page reads no more of what was on its way. What needs no line is read as
    soon as all lines before it are.
    """

    def __init__(self, ws: DoorSocket, mark: Callable[[int], Awaitable[object]], read: int) -> None:
        """`mark` stores a seq; `read` is the one that is stored."""
        self._ws = ws
        self._mark = mark
        self._stored = self._read = read
        self._sent = self._answered = self._passed = read
        self._asked: deque[int] = deque()
        self._moved = asyncio.Event()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Stores them now and then, and in the end."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await self._store()

    async def send(self, line: str, seq: int) -> None:
        """Tells a line, the one of `seq`."""
        self._sent = seq
        if len(self._asked) == QUESTIONS:
            await self._ws.send_str(line)
            return
        self._asked.append(seq)
        await self._ws.send_asking(line, _payload(seq))

    def passed(self, seq: int) -> None:
        """After the line sent last, nothing up to `seq` needs one.

        That is stored with the next line that is read, or in the end.
        """
        self._passed = seq
        self._advance()

    async def answered(self, pong: bytes) -> None:
        """A pong also answers the pings before it (RFC 6455, 5.5.3)."""
        asked = next((seq for seq in self._asked if _payload(seq) == pong), None)
        if asked is None:
            return  # to the heartbeat, or to nothing
        while self._asked and self._asked[0] <= asked:
            self._asked.popleft()
        self._answered = asked
        self._advance()
        self._moved.set()
        await self._ask()

    def _advance(self) -> None:
        is_nothing_owed = self._answered == self._sent
        self._read = max(self._read, self._answered, self._passed if is_nothing_owed else 0)

    async def _ask(self) -> None:
        """What is sent while enough questions wait is asked for by the next."""
        newest = self._asked[-1] if self._asked else self._answered
        if len(self._asked) < QUESTIONS and self._sent > newest:
            self._asked.append(self._sent)
            await self._ws.ping(_payload(self._sent))

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
