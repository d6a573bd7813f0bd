"""Compares all hosted rooms with the store, whenever something may have been lost unheard."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol

import structlog

from chatserver.chat.errors import Unavailable
from chatserver.chat.models import Reply
from chatserver.chat.ports import Store, Transaction
from chatserver.observability.metrics import Metrics
from chatserver.realtime.bus import Bus
from chatserver.realtime.peers import Peers
from chatserver.realtime.room import Room

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""Between looks at the store while something may be lost."""
CALM_SECONDS = 10.0
"""The same while nothing seems to be."""
TOKENS_SECONDS = 30.0
"""Between looks at all tokens while deaf."""
ROOMS_PER_READ = 500


class Swept(Protocol):
    """What is compared with the store."""

    def hosted(self) -> list[Room]: ...
    def behind(self, room: Room, seq: int) -> None:
        """The log has so many events."""
        ...

    def vanished(self, room: Room) -> None:
        """The store knows no such session."""
        ...

    async def ask_all(self) -> None:
        """Asks the others who is where, and for the texts of replies."""
        ...

    async def announce_all(self) -> None: ...
    def replies_elsewhere(self) -> list[tuple[str, str]]:
        """Session and id of those that are shown as running."""
        ...

    def settled(self, reply: Reply) -> None:
        """The store says how it stands with a reply that runs elsewhere."""
        ...

    def doubt_tokens(self) -> None: ...


class Sweep:
    """One task; it looks at once when told to."""

    def __init__(
        self, swept: Swept, bus: Bus, store: Store, metrics: Metrics, peers: Peers
    ) -> None:
        self._swept = swept
        self._bus = bus
        self._store = store
        self._metrics = metrics
        self._peers = peers
        self._wake = asyncio.Event()
        self._healing = False
        self._announcing = False
        self._unsettled = False
        self._rooms: set[str] = set()
        self._looked_at = 0.0
        self._tokens_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sweep")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def heal(self) -> None:
        """Something was lost, or may have been."""
        self._healing = True
        self._wake.set()

    def announce(self) -> None:
        """Others may not know who is here."""
        self._announcing = True
        self._wake.set()

    def look_at(self, room: Room) -> None:
        """Something of this room may have been lost."""
        self._rooms.add(room.session_id)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._round(asyncio.get_running_loop().time())
            except Unavailable:
                log.warning("sweep_unavailable")
            except Exception:
                log.exception("sweep_crashed")

    async def _round(self, now: float) -> None:
        if self._announcing:
            self._announcing = False
            await self._swept.announce_all()
        healing, self._healing = self._healing, False
        try:
            await self._compare(now, is_doubtful=healing)
        except Exception:
            self._healing = self._healing or healing
            raise
        if self._bus.is_deaf:
            self._healing = self._healing or healing
            if now - self._tokens_at >= TOKENS_SECONDS:
                self._tokens_at = now
                self._swept.doubt_tokens()
        elif healing:
            self._unsettled = True
            self._peers.forgive(now)
            self._swept.doubt_tokens()
            await self._swept.ask_all()
        if self._unsettled:
            await self._settle()
            self._unsettled = False

    async def _compare(self, now: float, *, is_doubtful: bool) -> None:
        is_doubtful = is_doubtful or self._bus.is_deaf or self._peers.are_doubtful(now)
        hosted = self._swept.hosted()
        new, self._rooms = self._rooms, set()
        try:
            if is_doubtful or now - self._looked_at >= CALM_SECONDS:
                if hosted:
                    self._metrics.catch_ups.inc()
                await self._look(hosted)
                self._looked_at = now
            elif new:
                await self._look([room for room in hosted if room.session_id in new])
        except Exception:
            self._rooms |= new
            raise

    async def _look(self, rooms: Sequence[Room]) -> None:
        for chunk in _chunks(rooms):
            ids = [room.session_id for room in chunk]
            seqs = await self._store.read(partial(_last_seqs, ids))
            for room in chunk:
                if room.closed or not room.opened.done():
                    continue
                seq = seqs.get(room.session_id)
                if seq is None:
                    self._swept.vanished(room)
                else:
                    self._swept.behind(room, seq)

    async def _settle(self) -> None:
        for session_id, reply_id in self._swept.replies_elsewhere():
            reply = await self._store.read(partial(_reply, session_id, reply_id))
            if reply is not None:
                self._swept.settled(reply)


def _last_seqs(ids: list[str], tx: Transaction) -> dict[str, int]:
    return tx.sessions.last_seqs(ids)


def _reply(session_id: str, reply_id: str, tx: Transaction) -> Reply | None:
    return tx.replies.get(session_id, reply_id)


def _chunks(rooms: Sequence[Room]) -> Iterator[Sequence[Room]]:
    for start in range(0, len(rooms), ROOMS_PER_READ):
        yield rooms[start : start + ROOMS_PER_READ]
