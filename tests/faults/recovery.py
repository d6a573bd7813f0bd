"""How soon each client was served again once a fault was healed."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.findings import Recovery
from tests.faults.history import MARKS, Acked, Entry, Joined, Mark, Received, read


@dataclass(slots=True)
class Heals:
    """Sees the records of one client after the other, each between `begin` and `end`."""

    marks: list[tuple[int, str]]
    _seconds: dict[str, list[float]] = field(default_factory=dict)
    _never: dict[str, int] = field(default_factory=dict)
    _next: int = 0

    @classmethod
    def read(cls, folder: Path) -> "Heals":
        marks = [
            (entry.at, entry.record.fault)
            for entry in read(folder, MARKS)
            if isinstance(entry.record, Mark) and entry.record.what == "heal"
        ]
        return cls(sorted(marks))

    def begin(self) -> None:
        self._next = 0

    def see(self, entry: Entry) -> None:
        """An ack, a snapshot or an event: whatever shows that the client is served."""
        record = entry.record
        served = isinstance(record, Joined | Received) or (isinstance(record, Acked) and record.ok)
        while served and self._next < len(self.marks) and self.marks[self._next][0] < entry.at:
            at, fault = self.marks[self._next]
            self._seconds.setdefault(fault, []).append((entry.at - at) / 1e9)
            self._next += 1

    def end(self) -> None:
        for _, fault in self.marks[self._next :]:
            self._never[fault] = self._never.get(fault, 0) + 1

    def recoveries(self) -> list[Recovery]:
        """One for each kind of fault, over all its heals."""
        found = []
        for fault in dict.fromkeys(fault for _, fault in self.marks):
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
