"""A link that has entered the namespace `/chat`: questions with their answers, and events."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from tests.faults.links import Link, LinkFailed, open_link

READY_SECONDS = 10.0
ACK_SECONDS = 10.0
"""A server that is silent for so long is given up, as a patient person would."""
WATCH_SECONDS = 0.5

Ack = dict[str, Any]


class Gone(Exception):
    """The connection ended before the answer came."""


@dataclass(slots=True)
class Question:
    asked_at: float
    answered: Callable[[Ack], None]
    lost: Callable[[str], None]


class Line:
    """Calls `told(event, payload)`, and each question's `answered` or `lost`, as packets arrive:

    in their order on the wire, with nothing between. `ended(why)` comes last, and once.
    """

    def __init__(self, told: Callable[[str, Any], None], ended: Callable[[str], None]) -> None:
        self._told = told
        self._when_ended = ended
        self._token = ""
        self._link: Link | None = None
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._number = 0
        self._questions: dict[int, Question] = {}
        self._watch: asyncio.TimerHandle | None = None
        self.over = False

    async def open(self, transport: str, url: str, token: str) -> None:
        """Raises `LinkFailed` where it is not connected in time, or refused."""
        self._token = token
        self._link = await open_link(transport, url, self)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready
        except TimeoutError:
            self._give_up("not ready in time")
            raise LinkFailed("not ready in time") from None
        self._look()

    def ask(
        self,
        event: str,
        payload: dict[str, Any],
        answered: Callable[[Ack], None],
        lost: Callable[[str], None],
    ) -> None:
        if self.over or self._link is None:
            lost("there is no connection")
            return
        self._number += 1
        self._questions[self._number] = Question(self._loop.time(), answered, lost)
        self._link.write(b"42/chat,%d%b" % (self._number, orjson.dumps([event, payload])))

    async def call(
        self, event: str, payload: dict[str, Any], note: Callable[[Ack], None] | None = None
    ) -> Ack:
        """The whole ack; `note` gets it before anything that came after it. Raises `Gone`."""
        future: asyncio.Future[Ack] = self._loop.create_future()

        def answered(ack: Ack) -> None:
            if note is not None:
                note(ack)
            if not future.done():
                future.set_result(ack)

        def lost(why: str) -> None:
            if not future.done():
                future.set_exception(Gone(why))

        self.ask(event, payload, answered, lost)
        return await future

    async def close(self) -> None:
        """Returns once nothing is left of it."""
        self._give_up("closed")
        if self._link is not None:
            await self._link.closed()

    def _give_up(self, why: str) -> None:
        if self._link is not None:
            self._link.close()
        self.ended(why)

    # --- `links.Ear` -----------------------------------------------------------------------------

    def heard(self, packet: bytes) -> None:
        if self.over:
            return
        if packet.startswith(b"42/chat,"):
            name, payload = orjson.loads(packet[8:])
            self._told(name, payload)
        elif packet.startswith(b"43/chat,"):
            body = packet.index(b"[")
            question = self._questions.pop(int(packet[8:body]), None)
            if question is not None:
                question.answered(orjson.loads(packet[body:])[0])
        elif packet.startswith(b"0"):
            # A link may hear its first packet before `open_link` returns.
            self._loop.call_soon(self._enter)
        elif packet.startswith(b"40/chat,"):
            if not self._ready.done():
                self._ready.set_result(None)
        elif packet.startswith((b"44/chat,", b"41/chat")):
            self._give_up(f"refused: {packet[8:200].decode()}")

    def ended(self, why: str) -> None:
        if self.over:
            return
        self.over = True
        if self._watch is not None:
            self._watch.cancel()
        if not self._ready.done():
            self._ready.set_exception(LinkFailed(why))
            self._ready.exception()  # seen, even where nobody waits any more
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.lost(why)
        self._when_ended(why)

    def _enter(self) -> None:
        if self._link is not None:
            self._link.write(b"40/chat," + orjson.dumps({"token": self._token}))
        elif not self.over:
            self._loop.call_soon(self._enter)

    def _look(self) -> None:
        oldest = next(iter(self._questions.values()), None)
        if oldest is not None and self._loop.time() - oldest.asked_at > ACK_SECONDS:
            self._give_up("no answer")
        elif not self.over:
            self._watch = self._loop.call_later(WATCH_SECONDS, self._look)
