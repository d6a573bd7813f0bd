"""One session, and people at five doors who talk at once: all see one log, in one order."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.conftest import StartBrowserServer, Visit
from tests.integration.talk.commands import terminal
from tests.servers import RunningServer
from tests.terminals import Terminal
from tests.waiting import eventually

EACH = 10
Say = Callable[[str], Awaitable[Any]]
Line = tuple[str, str]
"""Who says what."""


class Listening:
    """What one door told, in order."""

    def __init__(self, read: Callable[[], Awaitable[Line | None]]) -> None:
        self.lines: list[Line] = []
        self._read = read

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._listen())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            line = await self._read()
            if line is not None:
                self.lines.append(line)


def line_of(text: str) -> Line | None:
    name, _, said = text.partition(": ")
    return None if name == "Server" else (name, said)


def framed_line(frame: bytes) -> Line | None:
    return line_of(frame[4:].decode())


def framed(text: str) -> bytes:
    return struct.pack("<I", len(text.encode())) + text.encode()


def event_line(data: bytes) -> Line | None:
    """Of one line of a stream of events."""
    if not data.startswith(b"data: "):
        return None
    event = orjson.loads(data.removeprefix(b"data: "))
    return (event["sender"]["name"], event["data"]["text"]) if "text" in event["data"] else None


async def test_people_at_five_doors_see_one_log_in_one_order(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(bot="", visibility="link")
    plain, shaped, scripted = [await chat.token(name) for name in ("Pat", "Fred", "Rita")]
    events = f"/api/v1/sessions/{session_id}/"
    await chat.rest("POST", events + "join", {}, token=scripted)
    at = f"token={{}}&session={session_id}"
    ws = chat.url.replace("http", "ws", 1)
    headers = {"Authorization": f"Bearer {scripted}", "Accept": "text/event-stream"}
    with terminal(chat.url, session_id, "--name", "Terry") as shown:
        await asyncio.to_thread(shown.expect, "Terry")
        async with (
            connect(f"{ws}/chat?{at.format(plain)}") as of_pat,
            connect(f"{ws}/ws/Fred?{at.format(shaped)}") as of_fred,
            ClientSession(headers=headers) as http,
            http.get(f"{chat.url}{events}events?after_seq=0") as stream,
        ):
            told = {
                "Pat": Listening(_reader(of_pat, lambda text: line_of(str(text)))),
                "Fred": Listening(_reader(of_fred, lambda frame: framed_line(bytes(frame)))),
                "Rita": Listening(_lines(stream.content)),
            }

            async def by_rest(text: str) -> None:
                await chat.rest("POST", events + "messages", {"text": text}, token=scripted)

            async def typed(text: str) -> None:
                await asyncio.to_thread(shown.type, text)

            async with told["Pat"].going_on(), told["Fred"].going_on(), told["Rita"].going_on():
                await asyncio.gather(
                    _talks("Ada", ada.say),
                    _talks("Terry", typed),
                    _talks("Pat", of_pat.send),
                    _talks("Fred", lambda text: of_fred.send(framed(text))),
                    _talks("Rita", by_rest),
                )
                await eventually(lambda: len(told["Rita"].lines) == 5 * EACH)
                log = told["Rita"].lines
                assert log == await _stored(chat, session_id, scripted)
                await ada.sees(*(text for _, text in log))
                assert await ada.transcript() == log
                for name in ("Pat", "Fred"):
                    others = [line for line in log if line[0] != name]
                    await eventually(lambda: len(told[name].lines) >= 4 * EACH)  # noqa: B023
                    assert told[name].lines == others
        await asyncio.to_thread(_in_order, shown, [text for _, text in log])


def _reader(socket: ClientConnection, line: Callable[[Any], Line | None]) -> Any:
    async def read() -> Line | None:
        return line(await socket.recv())

    return read


def _lines(content: Any) -> Any:
    async def read() -> Line | None:
        return event_line(await content.readline())

    return read


async def _talks(name: str, say: Say) -> None:
    for number in range(EACH):
        await say(f"{name.lower()}-{number}")


async def _stored(chat: RunningServer, session_id: str, token: str) -> list[Line]:
    page = await chat.rest("GET", f"/api/v1/sessions/{session_id}/events?limit=200", token=token)
    return [
        (event["sender"]["name"], event["data"]["text"])
        for event in page["events"]
        if event["type"] == "message_created"
    ]


def _in_order(shown: Terminal, texts: Sequence[str]) -> None:
    while missing := [text for text in texts if text not in shown.shown]:
        shown.expect(missing[-1])
    # What one types oneself is there before it is said.
    places = [shown.shown.rfind(text) for text in texts]
    assert places == sorted(places)
