"""Connections as raw as they can be: Engine.IO packets as they come, and nothing repaired.

A link says what it hears to its `Ear` and ends once. It never connects again.
"""

import asyncio
from collections import deque
from typing import Protocol

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    CookieJar,
)

from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.target import Target
from chatserver.loadtest.websocket import WebSocket

OPEN_SECONDS = 10.0
POLL_SECONDS = 60.0
"""Longer than the server's heartbeat, so that a poll without an answer means that it is gone."""
SEPARATOR = "\x1e"


class LinkFailed(Exception):
    """There was no connection to be had."""


class Ear(Protocol):
    def heard(self, packet: bytes) -> None:
        """An Engine.IO packet, but for heartbeats, which are answered already."""

    def ended(self, why: str) -> None:
        """Called once, unless the link was never open."""


class Link(Protocol):
    def write(self, packet: bytes) -> None:
        """Sends a packet; where the link has ended, nothing happens."""

    def close(self) -> None:
        """Ends it at once, as a cut cable would."""

    async def closed(self) -> None:
        """Returns once nothing is left of it."""


async def open_link(transport: str, url: str, ear: Ear) -> Link:
    """A link whose first packet is on its way. Raises `LinkFailed`."""
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            if transport == "polling":
                return await PollingLink.open(url, ear)
            return await WebSocketLink.open(url, ear)
    except (OSError, ClientError, LoadError) as failure:
        raise LinkFailed(str(failure) or type(failure).__name__) from None


class WebSocketLink(WebSocket):
    __slots__ = ("_ear",)

    def __init__(self, target: Target, ear: Ear) -> None:
        super().__init__(target)
        self._ear = ear

    @classmethod
    async def open(cls, url: str, ear: Ear) -> "WebSocketLink":
        target = Target.parse(url)
        link = cls(target, ear)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: link, target.address, target.port)
        return link

    def write(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            super().write(packet)

    async def closed(self) -> None:
        """Its transport was aborted."""

    def packet(self, data: bytes, start: int, stop: int) -> None:
        if data[start:stop] == b"2":
            self.write(b"3")
        else:
            self._ear.heard(data[start:stop])

    def ended(self, error: LoadError) -> None:
        self._ear.ended(error.code)


class PollingLink:
    """Long-polling by the book: one GET and one POST at a time (with the cookie of stickiness)."""

    def __init__(self, url: str, ear: Ear) -> None:
        self._url = f"{url}/socket.io/"
        self._ear = ear
        self._sid = ""
        self._waiting: deque[str] = deque()
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._http = ClientSession(
            cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=POLL_SECONDS)
        )

    @classmethod
    async def open(cls, url: str, ear: Ear) -> "PollingLink":
        link = cls(url, ear)
        try:
            first = await link._get()
        except BaseException:
            await link._http.close()
            raise
        head, _, rest = first.partition(SEPARATOR)
        link._sid = head.partition('"sid":"')[2].partition('"')[0]
        link._tasks = [asyncio.create_task(link._live(head, rest))]
        return link

    def write(self, packet: bytes) -> None:
        self._waiting.append(packet.decode())
        self._more.set()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def closed(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    async def _live(self, head: str, rest: str) -> None:
        why = "closed"
        try:
            self._hear(head)
            if rest:
                self._hear(rest)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._poll())
                both.create_task(self._post())
        except* (OSError, ClientError, TimeoutError, LinkFailed) as failures:
            why = str(failures.exceptions[0]) or type(failures.exceptions[0]).__name__
        finally:
            self._ear.ended(why)

    async def _poll(self) -> None:
        while True:
            self._hear(await self._get())

    async def _post(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            body = SEPARATOR.join(self._waiting)
            self._waiting.clear()
            async with self._http.post(self._url, params=self._query, data=body) as answer:
                if answer.status != 200:
                    raise LinkFailed(f"POST was answered {answer.status}")

    async def _get(self) -> str:
        poll = self._http.get(self._url, params=self._query, middlewares=(_once(),))
        async with poll as answer:
            if answer.status != 200:
                raise LinkFailed(f"GET was answered {answer.status}")
            return await answer.text()

    @property
    def _query(self) -> dict[str, str]:
        return {"EIO": "4", "transport": "polling"} | ({"sid": self._sid} if self._sid else {})

    def _hear(self, payload: str) -> None:
        for packet in payload.split(SEPARATOR):
            if packet == "2":
                self.write(b"3")
            elif packet == "1":
                raise LinkFailed("the server closed the connection")
            elif packet != "6":
                self._ear.heard(packet.encode())


def _once() -> ClientMiddlewareType:
    """Keeps aiohttp from sending a GET again whose answer was lost.

    The server has handed out what was in that answer: a second one would go on after a hole.
    """
    tried = False

    async def attempt(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        nonlocal tried
        if tried:
            raise LinkFailed("the answer to a poll was lost")
        tried = True
        return await handler(request)

    return attempt
