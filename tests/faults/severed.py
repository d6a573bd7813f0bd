"""A TCP proxy that cuts a connection in the moment that matters."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Severed:
    """Relays at `port` until a client sends something that contains what it was told to `cut`.

    `delivered`: the server gets that, and only its answer is lost.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._pattern: bytes | None = None
        self._delivered = True
        self.cuts = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self, pattern: bytes, *, delivered: bool) -> None:
        """Once."""
        self._pattern = pattern
        self._delivered = delivered

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Severed"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._target_port)
        answers = asyncio.create_task(_pump(theirs, writer))
        self._tasks.add(answers)
        try:
            while data := await reader.read(65_536):
                if self._pattern is not None and self._pattern in data:
                    self._pattern = None
                    self.cuts += 1
                    answers.cancel()
                    await asyncio.wait([answers])
                    if self._delivered:
                        ours.write(data)
                        await theirs.read(65_536)  # it was done
                    writer.transport.abort()
                    return
                ours.write(data)
                await ours.drain()
        except OSError:
            pass
        finally:
            ours.close()
            answers.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
