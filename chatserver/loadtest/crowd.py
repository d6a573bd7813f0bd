"""The connections of one process, in their rooms, ready to be loaded any number of times."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

from chatserver.loadtest import tokens
from chatserver.loadtest.gathering import gather_some
from chatserver.loadtest.load import PATIENCE, Load, Slot, closed_loop, open_loop
from chatserver.loadtest.measured import Measured
from chatserver.loadtest.peer import Peer
from chatserver.loadtest.tally import Tally
from chatserver.loadtest.target import Target
from chatserver.loadtest.watch import Watch

LOOK = 0.005
PROGRESS_SECONDS = 0.2

OnProgress = Callable[[int, int], None]
"""Called now and then with the messages acknowledged and delivered so far."""


@dataclass(frozen=True, slots=True)
class CrowdPlan:
    """`rooms` of `members` each, spread over `connections`; those left over are idle."""

    connections: int
    rooms: int
    members: int
    participants: int | None = None
    """Guests that share the connections; one for each where not given."""
    deflate: bool = False
    """Offer permessage-deflate, as browsers do."""
    at_once: int = 50
    """Connections and joins under way at the same time."""

    def __post_init__(self) -> None:
        if self.members > self.connections and self.rooms:
            raise ValueError("a room cannot have more members than there are connections")

    def share(self, part: int, parts: int) -> "CrowdPlan":
        """The rooms and connections of one of several processes; no room spans two."""
        rooms = self.rooms // parts + (part < self.rooms % parts)
        connections = self.connections // parts + (part < self.connections % parts)
        guests = self.participants and max(1, self.participants // parts)
        return replace(self, connections=connections, rooms=rooms, participants=guests)


class Crowd:
    """Made by `open`; closes its connections at the end of the `async with`."""

    def __init__(self, plan: CrowdPlan, peers: Sequence[Peer], slots: Sequence[Slot]) -> None:
        self.plan = plan
        self.peers = peers
        self._slots = slots

    @classmethod
    async def open(
        cls, target: Target, plan: CrowdPlan, issued: Sequence[str] | None = None
    ) -> Self:
        """Connects everybody and fills the rooms. Raises `LoadError`; nothing stays open then.

        `issued` are tokens that the participants have already.
        """
        if issued is None:
            guests = plan.connections if plan.participants is None else plan.participants
            issued = await tokens.issue(target, min(guests, plan.connections))
        tally = Tally(b"-connect")
        peers = await gather_some(
            plan.at_once,
            [
                Peer.connect(target, issued[n % len(issued)], tally, deflate=plan.deflate)
                for n in range(plan.connections)
            ],
            undo=Peer.close,
        )
        try:
            slots = await _fill_rooms(plan, peers)
        except BaseException:
            _close(peers)
            raise
        return cls(plan, peers, slots)

    @property
    def sessions(self) -> list[str]:
        """The rooms' ids."""
        return list(dict.fromkeys(room.decode() for _, room in self._slots))

    async def run(self, load: Load, on_progress: OnProgress | None = None) -> Measured:
        """Everything that the load showed, once every delivery arrived or `PATIENCE` ended."""
        tally = Tally(secrets.token_hex(4).encode())
        for peer in self.peers:
            peer.tally = tally
        watch = Watch()
        started = time.monotonic_ns()
        async with _reporting(tally, on_progress):
            pace = closed_loop if load.rate is None else open_loop
            late = await pace(load, self._slots, tally)
            await self._settle(tally)
        watch.stop()
        return Measured(
            seconds=(tally.last_at - started) / 1e9,
            messages=tally.messages,
            deliveries=tally.deliveries,
            expected=tally.messages * self.plan.members,
            strays=tally.strays,
            unanswered=tally.outstanding,
            errors=tally.errors,
            acks=tally.acks,
            delivery=tally.delivery,
            late=late,
            lag=watch.lag,
            generator_cpu=watch.cpu,
        )

    def close(self) -> None:
        _close(self.peers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def _settle(self, tally: Tally) -> None:
        while tally.outstanding or tally.deliveries < tally.messages * self.plan.members:
            if time.monotonic_ns() - tally.last_at > PATIENCE * 1e9:
                return
            await asyncio.sleep(LOOK)


async def _fill_rooms(plan: CrowdPlan, peers: Sequence[Peer]) -> list[Slot]:
    """Slots in the order of use: every room gets its turn before one gets its second."""
    count = len(peers)
    rooms = [
        [peers[(room * plan.members + member) % count] for member in range(plan.members)]
        for room in range(plan.rooms)
    ]
    ids = await gather_some(plan.at_once, [_create(room[0]) for room in rooms])
    await gather_some(
        plan.at_once,
        [
            peer.call("join_session", {"session_id": session_id})
            for room, session_id in zip(rooms, ids, strict=True)
            for peer in room[1:]
        ],
    )
    return [
        (room[turn], session_id.encode())
        for turn in range(plan.members)
        for room, session_id in zip(rooms, ids, strict=True)
    ]


async def _create(peer: Peer) -> str:
    made = await peer.call(
        "create_session", {"visibility": "link", "reply_policy": "off", "bot": None}
    )
    return str(made["session"]["id"])


def _close(peers: Sequence[Peer]) -> None:
    for peer in peers:
        peer.close()


@asynccontextmanager
async def _reporting(tally: Tally, on_progress: OnProgress | None) -> AsyncIterator[None]:
    if on_progress is None:
        yield
        return

    async def report() -> None:
        while True:
            on_progress(tally.messages, tally.deliveries)
            await asyncio.sleep(PROGRESS_SECONDS)

    task = asyncio.create_task(report())
    try:
        yield
    finally:
        task.cancel()
        on_progress(tally.messages, tally.deliveries)
