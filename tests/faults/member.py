"""A member of sessions: stays connected, comes back by seq, and writes down all it is told."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from chatserver.client.backoff import Backoff
from tests.faults import history as h
from tests.faults.line import Ack, Gone, Line
from tests.faults.links import LinkFailed

T = TypeVar("T")

PAGE = 200
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
RETRY = frozenset({"unavailable", "draining", "rate_limited", "too_many_in_flight", "internal"})
"""Errors after which one asks again, as one would without an answer."""


class Refusal(Exception):
    """An error after which asking again does not help."""


@dataclass(slots=True)
class Standing:
    """What a member is and knows in one session."""

    session: str
    invite: str | None
    low: int = 0
    """Everything up to here was seen."""
    live: int | None = None
    """The last seq on this connection; None: not in the room."""
    away: bool = False


class Member:
    """Connected, as far as that is possible, between `start` and `close`.

    It believes what it is told: it looks for what it missed only where a snapshot says that it is
    not complete.
    """

    def __init__(
        self, name: str, url: str, token: str, transport: str, log: h.ClientLog, rng: random.Random
    ) -> None:
        self.name = name
        self.log = log
        self.standings: dict[int, Standing] = {}
        """By the room's number."""
        self.problems: list[str] = []
        self.up = False
        self.connection = 0
        self.line: Line | None = None
        self.came_up: Callable[[], None] = lambda: None
        self._url = url
        self._token = token
        self._transport = transport
        self._rng = rng
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE, rng)
        self._by_session: dict[str, Standing] = {}
        self._changed = asyncio.Event()
        self._staying: asyncio.Task[None] | None = None

    async def start(self) -> asyncio.Task[None]:
        """Connects; returns, once it is, the task that keeps it so."""
        self._staying = asyncio.create_task(self._stay_connected())
        await self.until(lambda: self.up)
        return self._staying

    async def close(self) -> None:
        if self._staying is not None:
            self._staying.cancel()
            await asyncio.gather(self._staying, return_exceptions=True)
        if self.line is not None:
            await self.line.close()

    def changed(self) -> None:
        """Whoever waits in `until` looks again."""
        self._changed.set()

    async def until(self, check: Callable[[], bool]) -> None:
        while not check():
            self._changed.clear()
            await self._changed.wait()

    def pause(self) -> float:
        """Before asking again; not the same for all."""
        return self._rng.uniform(0.05, 0.3)

    # --- asking ----------------------------------------------------------------------------------

    async def call(
        self, event: str, payload: dict[str, Any], note: Callable[[Ack], None] | None = None
    ) -> Ack:
        """The whole ack. Raises `Gone`."""
        if self.line is None:
            raise Gone("never connected")
        return await self.line.call(event, payload, note)

    async def surely(
        self, event: str, payload: dict[str, Any], note: Callable[[Ack], None] | None = None
    ) -> dict[str, Any]:
        """The data of the ack, however often it must be asked for on this connection.

        Raises `Gone`, `Refusal`.
        """
        while True:
            ack = await self.call(event, payload, note)
            if ack["ok"]:
                data: dict[str, Any] = ack["data"]
                return data
            if ack["error"]["code"] not in RETRY:
                raise Refusal(ack["error"]["code"])
            await asyncio.sleep(self.pause())

    async def through(self, do: Callable[[], Awaitable[T]]) -> T:
        """Does it, however often the connection is lost over it."""
        while True:
            await self.until(lambda: self.up)
            with suppress(Gone):
                return await do()

    # --- sessions --------------------------------------------------------------------------------

    def enrol(self, room: int, session: str, invite: str | None) -> Standing:
        standing = self.standings[room] = Standing(session, invite)
        self._by_session[session] = standing
        return standing

    async def join(self, standing: Standing) -> None:
        """Joins, and reads what was missed. Raises `Gone`."""
        while True:
            payload: dict[str, Any] = {
                "session_id": standing.session,
                "after_seq": standing.low,
                **({"invite": standing.invite} if standing.invite is not None else {}),
            }
            note = partial(self._note_snapshot, standing, standing.low)
            ack = await self.call("join_session", payload, note)
            if ack["ok"]:
                break
            code = ack["error"]["code"]
            if code == "invalid_payload" and standing.low:
                standing.low = 0  # what was there is no more
            elif code not in RETRY:
                self.problems.append(f"{self.name} may not join: {code}")
                return
            await asyncio.sleep(self.pause())
        if not ack["data"]["complete"]:
            await self._read_up_to(standing, ack["data"]["from_seq"] - 1)
        standing.low = standing.live or standing.low

    async def _read_up_to(self, standing: Standing, last: int) -> None:
        note = partial(self._note_page, standing)
        while standing.low < last:
            wanted = {"session_id": standing.session, "after_seq": standing.low, "limit": PAGE}
            try:
                page = await self.surely("get_history", wanted, note)
            except Refusal as refusal:
                self.problems.append(f"{self.name} may not read its history: {refusal}")
                return
            if not page["events"]:
                self.problems.append(f"{self.name} got no history after {standing.low}")
                return
            standing.low = page["events"][-1]["seq"]

    def _note_snapshot(self, standing: Standing, asked: int, ack: Ack) -> None:
        if not ack["ok"]:
            return
        data = ack["data"]
        self.log.write(
            h.Joined(
                connection=self.connection,
                session=standing.session,
                after_seq=asked,
                from_seq=data["from_seq"],
                to_seq=data["to_seq"],
                complete=data["complete"],
                events=[seen(event) for event in data["events"]],
            )
        )
        standing.live = data["to_seq"]
        if data["complete"]:
            standing.low = data["to_seq"]

    def _note_page(self, standing: Standing, ack: Ack) -> None:
        if ack["ok"]:
            events = [seen(event) for event in ack["data"]["events"]]
            self.log.write(h.Paged(self.connection, standing.session, events))

    # --- the connection --------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        while True:
            self.connection += 1
            ended = asyncio.Event()
            line = Line(self._told, partial(self._lost, ended))
            try:
                await line.open(self._transport, self._url, self._token)
                self.line = line
                self.log.write(h.Connected(self.connection, self._transport))
                for standing in self.standings.values():
                    if not standing.away:
                        await self.join(standing)
                self.up = True
                self._backoff.reset()
                self.came_up()
                self.changed()
                await ended.wait()
            except (LinkFailed, Gone):
                pass
            finally:
                await line.close()
            await asyncio.sleep(self._backoff.next())

    def _lost(self, ended: asyncio.Event, why: str) -> None:
        self.up = False
        for standing in self.standings.values():
            standing.live = None
        self.log.write(h.Disconnected(self.connection, why))
        ended.set()
        self.changed()

    def _told(self, name: str, payload: Any) -> None:
        if name == "welcome":
            self.log.write(h.Named(payload["participant"]["id"]))
            return
        session = payload.get("session_id")
        if session is None:
            return
        if "seq" not in payload or "type" not in payload:
            self.log.write(h.Heard(self.connection, session, name))
            return
        self.log.write(h.Received(self.connection, session, seen(payload)))
        standing = self._by_session.get(session)
        if standing is not None and standing.live is not None:
            if standing.low == standing.live:
                standing.low = payload["seq"]
            standing.live = payload["seq"]
            self.changed()


def seen(event: dict[str, Any]) -> h.Seen:
    data = event["data"]
    text = data.get("text")
    return h.Seen(
        seq=event["seq"],
        type=event["type"],
        sender=event["sender"]["id"],
        message_id=data.get("client_message_id"),
        reply_id=data.get("reply_id"),
        digest="" if text is None else h.digest(text),
    )
