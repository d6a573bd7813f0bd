"""How long after each heal clients had everything again, acks and what others had said."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.history import (
    MARKS,
    Acked,
    Entry,
    Joined,
    Left,
    Mark,
    Paged,
    Received,
    Sent,
    clients,
    read,
)

Heights = dict[str, int]
"""The highest seq of each session."""


@dataclass(slots=True)
class Heal:
    at: int
    fault: str
    acked: Heights
    """To anybody, before it."""


@dataclass(slots=True)
class Waiting:
    """A client after a heal."""

    heal: Heal
    lacking: Heights
    """What was acked to others by then, and has not come."""
    served: bool = False


@dataclass(slots=True)
class Regaining:
    """Sees all of one client's records, in order."""

    heals: list[Heal]
    seconds: dict[str, list[float]]
    _reached: Heights = field(default_factory=dict)
    _waiting: list[Waiting] = field(default_factory=list)
    _next: int = 0

    def see(self, entry: Entry) -> None:
        while self._next < len(self.heals) and self.heals[self._next].at < entry.at:
            self._begin(self.heals[self._next])
            self._next += 1
        match entry.record:
            case Acked(ok=True):
                self._serve(entry.at)
            case Joined() as joined:
                seqs = [event.seq for event in joined.events]
                self._reach(joined.session, joined.to_seq if joined.complete else max(seqs))
                self._serve(entry.at)
            case Received() as received:
                self._reach(received.session, received.event.seq)
                self._serve(entry.at)
            case Paged() as paged if paged.events:
                self._reach(paged.session, max(event.seq for event in paged.events))
                self._serve(entry.at)
            case Left(session=session):
                self._reached.pop(session, None)
                for waiting in self._waiting:
                    waiting.lacking.pop(session, None)

    def _begin(self, heal: Heal) -> None:
        lacking = {
            session: seq
            for session, seq in heal.acked.items()
            if session in self._reached and self._reached[session] < seq
        }
        self._waiting.append(Waiting(heal, lacking))

    def _reach(self, session: str, seq: int) -> None:
        self._reached[session] = max(seq, self._reached.get(session, 0))
        for waiting in self._waiting:
            if waiting.lacking.get(session, seq + 1) <= seq:
                del waiting.lacking[session]

    def _serve(self, at: int) -> None:
        still = []
        for waiting in self._waiting:
            waiting.served = True
            if waiting.lacking:
                still.append(waiting)
            else:
                heal = waiting.heal
                self.seconds[heal.fault].append((at - heal.at) / 1e9)
        self._waiting = still


def regained(folder: Path) -> dict[str, list[float]]:
    """Seconds, sorted, over all clients and heals of a fault.

    A client has everything again once anything came, and all that was acked before the heal, to
    whomever, in the sessions it is in. Clients that never got there are not in here.
    """
    heals = _heals(folder)
    seconds: dict[str, list[float]] = defaultdict(list)
    for name in clients(folder):
        one = Regaining(heals, seconds)
        for entry in read(folder, name):
            one.see(entry)
    return {heal.fault: sorted(seconds[heal.fault]) for heal in heals}


def _heals(folder: Path) -> list[Heal]:
    heals = [
        Heal(entry.at, entry.record.fault, {})
        for entry in read(folder, MARKS)
        if isinstance(entry.record, Mark) and entry.record.what == "heal"
    ]
    for name in clients(folder):
        sent: dict[int, str] = {}
        for entry in read(folder, name):
            match entry.record:
                case Sent() as message:
                    sent[message.op] = message.session
                case Acked(ok=True, seq=int(seq)) as ack:
                    session = sent.pop(ack.op)
                    for heal in heals:
                        if entry.at < heal.at:
                            heal.acked[session] = max(seq, heal.acked.get(session, 0))
    return heals


def quantile(ordered: list[float], share: float) -> float:
    """The nearest rank; 0 where there is nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
