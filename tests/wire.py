"""A cable between a client and a server, to be cut and mended."""

import asyncio
from types import TracebackType
from urllib.parse import urlsplit

BLOCK = 65_536


class Wire:
    """Carries TCP connections to where `to` leads; `url` is `to` with its own address."""

    def __init__(self, to: str) -> None:
        self._parts = urlsplit(to)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return self._parts._replace(netloc=f"127.0.0.1:{self._port}").geturl()

    async def mend(self) -> None:
        """From here on connections are carried, on the same port as ever."""
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Breaks every connection, and refuses new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in self._ends:
            end.transport.abort()

    async def __aenter__(self) -> "Wire":
        await self.mend()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()

    async def _carry(self, inward: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._ends.add(back)
        try:
            outward, on = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            self._ends.add(on)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pump(inward, on))
                    both.create_task(_pump(outward, back))
            finally:
                self._ends.discard(on)
                on.transport.abort()
        except* OSError:
            pass  # either side may go at any time
        finally:
            self._ends.discard(back)
            back.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while block := await source.read(BLOCK):
        sink.write(block)
        await sink.drain()
    sink.close()
