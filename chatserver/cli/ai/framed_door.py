"""The framed door: a WebSocket with binary frames, at which a name is all there is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, WSServerHandshakeError
from yarl import URL

from chatserver.cli.ai import frames
from chatserver.cli.ai.door import Report
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.line import Line
from chatserver.cli.ai.refusals import Refusals, Refused, for_good, refusal
from chatserver.client.backoff import Backoff
from chatserver.client.errors import NotConnected

CONNECT_SECONDS = 10.0
"""How long a server that is not there yet is waited for, and how long one attempt may take."""
HEARTBEAT_SECONDS = 20.0
WAITING_LINES = 1_000
"""Lines that wait to be heard; then the server is no longer read, and cuts us off in the end."""
FRAME_BYTES = 1 << 20
SAID_BYTES = 60_000
"""The longest that is said, under what servers usually take in one frame."""

WebSocket = ClientWebSocketResponse[Any]


class FramedDoor:
    """`Door`. As good as its protocol, which numbers nothing: what is said while there is no
    connection is not heard, and what a dying connection swallowed is not said again.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        uri: FramedUri,
        report: Report,
        bots: frozenset[str],
        backoff: Backoff,
    ) -> None:
        self._http = http
        self._uri = uri
        self._report = report
        self._bots = bots
        self._backoff = backoff
        self._ws: WebSocket | None = None
        self._ready = asyncio.Event()
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue(WAITING_LINES)
        self._heard = 0
        self._failure: Exception | None = None

    async def heard(self) -> AsyncIterator[Line]:
        while (line := await self._lines.get()) is not None:
            yield line
        self._check()

    async def say(self, text: str, key: str) -> None:
        frame = frames.encode(frames.cut(text, SAID_BYTES))
        while True:
            await self._ready.wait()
            self._check()
            ws = self._ws
            assert ws is not None
            try:
                await ws.send_bytes(frame)
                return
            except ConnectionError:
                if ws is self._ws:
                    self._ready.clear()

    async def first_connect(self) -> None:
        """Raises `Refused` at once, `NotConnected` after `CONNECT_SECONDS`."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                while True:
                    try:
                        await self._connect()
                        return
                    except WSServerHandshakeError as error:
                        if for_good(error.status):
                            raise Refused(refusal(error.status)) from None
                    except (aiohttp.ClientError, OSError):
                        pass
                    await asyncio.sleep(self._backoff.next())
        except TimeoutError:
            raise NotConnected(
                f"no connection to {self._uri} within {CONNECT_SECONDS:g} s"
            ) from None

    async def keep(self) -> None:
        """Reads, and connects again, until it is refused for good. `heard` and `say` raise that
        (`Refused`), as they raise a defect.
        """
        try:
            await self._keep()
        except Exception as defect:
            self._failure = defect
            self._ready.set()
            await self._lines.put(None)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            assert self._ws is not None
            began = clock()
            try:
                await self._read(self._ws)
            finally:
                self._ready.clear()
                await self._ws.close()
            if self._ws.close_code == WSCloseCode.POLICY_VIOLATION:
                raise Refused("the server has put us out (close 1008): a token ends, for example")
            self._backoff.lasted(clock() - began)
            self._report("connection lost")
            await self._connect_again()
            self._report("connected again")

    async def _connect_again(self) -> None:
        clock, refusals = asyncio.get_running_loop().time, Refusals()
        while True:
            delay = self._backoff.next()
            self._report(f"no connection; trying again in {delay:.1f} s")
            await asyncio.sleep(delay)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connect()
                return
            except WSServerHandshakeError as error:
                # Our old connection may have to be given up there first.
                refusals.weigh(error.status, clock())
                self._report(refusal(error.status))
            except (aiohttp.ClientError, OSError):  # TimeoutError is one
                refusals.unanswered()

    async def _connect(self) -> None:
        url = URL(self._uri.url, encoded=True)
        self._ws = await self._http.ws_connect(
            url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=FRAME_BYTES
        )
        self._ready.set()

    async def _read(self, ws: WebSocket) -> None:
        async for message in ws:
            if message.type is not WSMsgType.BINARY:
                continue
            try:
                text = frames.decode(message.data)
            except frames.BadFrame as error:
                self._report(f"a frame that cannot be read: {error}")
                continue
            self._heard += 1
            await self._lines.put(frames.line_of(text, self._heard, self._bots))


@asynccontextmanager
async def framed_door(
    uri: FramedUri,
    report: Report,
    *,
    bots: frozenset[str] = frozenset(),
    backoff: Backoff | None = None,
) -> AsyncIterator[FramedDoor]:
    """`bots` are the names of bots that may speak there. Raises `Refused` or `NotConnected`."""
    async with aiohttp.ClientSession() as http:
        door = FramedDoor(http, uri, report, bots, backoff or Backoff())
        await door.first_connect()
        keeping = asyncio.create_task(door.keep())
        try:
            yield door
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
