"""What is sent, and when: at a rate whatever the server does, or as fast as it answers."""

import asyncio
import itertools
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chatserver.loadtest.histogram import Histogram
from chatserver.loadtest.peer import Peer
from chatserver.loadtest.tally import Tally

BACKOFF = 0.05
"""Seconds before a closed loop tries again after an error that names no time of its own."""
PATIENCE = 10.0
"""Seconds without an ack or a delivery after which what is missing counts as lost."""
LOOK = 0.2
READ_EVERY = 32
"""Sends after which a late open loop lets what arrived be read."""

Slot = tuple[Peer, bytes]
"""A connection and a room that it is in."""


@dataclass(frozen=True, slots=True)
class Load:
    """Ends after `seconds` or `messages`, whichever is first; at least one is given.

    `rate` is in messages per second over all connections; without it each of `in_flight` messages
    is followed by the next as it is acknowledged (a closed loop).
    """

    rate: float | None = None
    in_flight: int = 50
    size: int = 150
    seconds: float | None = None
    messages: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.messages is None:
            raise ValueError("a load needs an end: seconds or messages")

    def share(self, part: int, parts: int) -> "Load":
        """What one of several processes sends of it."""
        messages = self.messages and _part(self.messages, part, parts)
        return Load(
            rate=self.rate and self.rate / parts,
            in_flight=max(1, _part(self.in_flight, part, parts)),
            size=self.size,
            seconds=self.seconds,
            messages=messages,
        )

    @property
    def total(self) -> int | None:
        """Messages it will send; None where that depends on the server."""
        if self.rate is None or self.seconds is None:
            return self.messages
        timed = max(1, math.ceil(self.rate * self.seconds))
        return timed if self.messages is None else min(timed, self.messages)


def _part(whole: int, part: int, parts: int) -> int:
    return whole // parts + (part < whole % parts)


async def open_loop(load: Load, slots: Sequence[Slot], tally: Tally) -> Histogram:
    """Sends at fixed times and waits for nothing, so that a slow server cannot slow the load down.

    Every message says when it should have left; latencies count from then. (Gil Tene, "How NOT to
    Measure Latency", 2013: otherwise one stall hides all the messages that it kept from leaving.)
    Returns how late the messages left, the generator's own part of the latencies.
    """
    assert load.rate is not None
    total = load.total
    assert total is not None
    late = Histogram()
    between = 1e9 / load.rate
    start = time.monotonic_ns()
    turns = itertools.cycle(slots)
    for number in range(total):
        intended = start + round(number * between)
        now = time.monotonic_ns()
        if intended > now:
            await asyncio.sleep((intended - now) / 1e9)
        elif number % READ_EVERY == 0:
            await asyncio.sleep(0)
        peer, room = next(turns)
        late.record(time.monotonic_ns() - intended)
        peer.send_message(room, intended, load.size)
    return late


async def closed_loop(load: Load, slots: Sequence[Slot], tally: Tally) -> Histogram:
    """Keeps `in_flight` messages on their way. Latencies hide what a stall kept from leaving."""
    loop = asyncio.get_running_loop()
    stop_at = None if load.seconds is None else time.monotonic() + load.seconds
    left = load.messages
    over = asyncio.Event()
    lanes = load.in_flight if left is None else min(load.in_flight, left)
    of_peer: defaultdict[Peer, list[bytes]] = defaultdict(list)
    for peer, room in slots:
        of_peer[peer].append(room)
    rooms = {peer: itertools.cycle(each) for peer, each in of_peer.items()}

    def send(peer: Peer) -> None:
        nonlocal left, lanes
        ended = stop_at is not None and time.monotonic() >= stop_at
        if ended or left == 0 or peer.lost:
            lanes -= 1
            if not lanes:
                over.set()
            return
        if left is not None:
            left -= 1
        peer.send_message(next(rooms[peer]), time.monotonic_ns(), load.size)

    def answered(peer: Peer, error: dict[str, Any] | None) -> None:
        if error is None:
            send(peer)
        else:
            loop.call_later(error.get("retry_after_ms", BACKOFF * 1000) / 1000, send, peer)

    for peer in rooms:
        peer.wait_for_answers(answered)
    for peer, _ in itertools.islice(itertools.cycle(slots), lanes):
        send(peer)
    try:
        while not over.is_set():
            if time.monotonic_ns() - tally.last_at > PATIENCE * 1e9:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await over.wait()
    finally:
        for peer in rooms:
            peer.wait_for_answers(None)
    return Histogram()
