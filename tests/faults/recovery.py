"""How soon each client was served again once a fault was healed."""

from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from tests.faults.findings import Recovery
from tests.faults.history import MARKS, Acked, Entry, Joined, Mark, Received, read


@dataclass(frozen=True, slots=True)
class Heal:
    """`until` is when the next fault began: who was not served by then is not counted."""

    at: float
    until: float
    fault: str


@dataclass(slots=True)
class Heals:
    """Sees the records of one client after the other, each between `begin` and `end`."""

    heals: list[Heal]
    _seconds: dict[str, list[float]] = field(default_factory=dict)
    _never: dict[str, int] = field(default_factory=dict)
    _next: int = 0

    @classmethod
    def read(cls, folder: Path) -> "Heals":
        entries = [entry for entry in read(folder, MARKS) if isinstance(entry.record, Mark)]
        heals: list[Heal] = []
        until = inf
        for entry in reversed(entries):
            mark = entry.record
            assert isinstance(mark, Mark)
            if mark.what == "inject":
                until = entry.at
            else:
                heals.insert(0, Heal(entry.at, until, mark.fault))
        return cls(heals)

    def begin(self) -> None:
        self._next = 0

    def see(self, entry: Entry) -> None:
        """An ack, a snapshot or an event: whatever shows that the client is served."""
        record = entry.record
        if not (isinstance(record, Joined | Received) or (isinstance(record, Acked) and record.ok)):
            return
        while self._next < len(self.heals) and self.heals[self._next].at < entry.at:
            heal = self.heals[self._next]
            if entry.at < heal.until:
                self._seconds.setdefault(heal.fault, []).append((entry.at - heal.at) / 1e9)
            self._next += 1

    def end(self) -> None:
        for heal in self.heals[self._next :]:
            if heal.until == inf:
                self._never[heal.fault] = self._never.get(heal.fault, 0) + 1

    def recoveries(self) -> list[Recovery]:
        """One for each kind of fault, over all its heals."""
        found = []
        for fault in dict.fromkeys(heal.fault for heal in self.heals):
            seconds = sorted(self._seconds.get(fault, []))
            found.append(
                Recovery(
                    fault=fault,
                    clients=len(seconds),
                    p50=_quantile(seconds, 0.50),
                    p99=_quantile(seconds, 0.99),
                    never=self._never.get(fault, 0),
                )
            )
        return found


def _quantile(ordered: list[float], share: float) -> float:
    """The nearest rank; 0 where there is nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
