"""Server-Sent Events read as a script reads them, with an HTTP client and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.waiting import PATIENCE

EVENT_STREAM = "text/event-stream"


@dataclass
class Frame:
    """One block of the stream."""

    event: str = ""
    id: int | None = None
    data: Any = None
    retry: int | None = None
    comment: str = ""


class Listener:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.frames: list[Frame] = []
        """All so far."""

    @property
    def ids(self) -> list[int]:
        return [frame.id for frame in self.frames if frame.id is not None]

    async def next(self) -> Frame | None:
        """None: the stream has ended."""
        frame = Frame()
        async with asyncio.timeout(PATIENCE):
            while line := await self.answer.content.readline():
                if line == b"\n":
                    self.frames.append(frame)
                    return frame
                _fill(frame, line.decode().removesuffix("\n"))
        return None

    async def take(self, event: str, **fields: Any) -> Frame:
        """The next one of this name whose `data` has these fields; others are passed over."""
        while frame := await self.next():
            if frame.event == event and fields.items() <= frame.data.items():
                return frame
        raise AssertionError(f"the stream ended without {event}: {self.frames[-5:]}")

    async def events(self, last: int) -> list[int]:
        """The ids so far, once the event `last` has come."""
        while not self.ids or self.ids[-1] < last:
            assert await self.next(), f"ended after {self.ids[-1:]}"
        return self.ids

    async def names_to_the_end(self) -> list[str]:
        names = []
        while frame := await self.next():
            if frame.event:
                names.append(frame.event)
        return names


def _fill(frame: Frame, line: str) -> None:
    name, _, value = line.partition(": ")
    match name:
        case "":
            frame.comment = value
        case "data":
            assert frame.data is None, "one line holds it"
            frame.data = json.loads(value)
        case "id" | "retry":
            setattr(frame, name, int(value))
        case "event":
            frame.event = value
        case _:
            raise AssertionError(f"no field of such a stream: {line}")


@asynccontextmanager
async def listening(
    url: str,
    token: str,
    session_id: str,
    *,
    last: int | str | None = None,
    headers: dict[str, str] | None = None,
    **query: str | int,
) -> AsyncIterator[Listener]:
    """A stream that was accepted; `last` is the `Last-Event-ID`."""
    sent = {"Accept": EVENT_STREAM, "Authorization": f"Bearer {token}", **(headers or {})}
    if last is not None:
        sent["Last-Event-ID"] = str(last)
    path = f"{url}/api/v1/sessions/{session_id}/events"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as http,
        http.get(path, headers=sent, params=query) as answer,
    ):
        assert answer.status == 200, (answer.status, await answer.text())
        assert answer.content_type == EVENT_STREAM
        yield Listener(answer)
