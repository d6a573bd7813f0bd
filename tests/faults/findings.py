"""What the checker found: broken invariants with their evidence, and numbers."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 10
"""Pieces of evidence kept for each invariant; the rest is only counted."""

INVARIANTS = (
    "durability",
    "idempotence",
    "gaplessness",
    "convergence",
    "order",
    "resolution",
    "endings",
    "isolation",
    "honesty",
    "resources",
)


@dataclass(slots=True)
class Numbers:
    """Counts over all clients. Messages, unless it says otherwise."""

    acked: int = 0
    lost: int = 0
    """Acked, but not in the log as acked."""
    doubled: int = 0
    """In the log twice, or received live twice."""
    misordered: int = 0
    """Acked or received out of their order."""
    indeterminate: int = 0
    """Had a transmission without an answer."""
    resolved: int = 0
    """Of those, the ones that were determined later."""
    received: int = 0
    """Durable events that came live."""
    healed: int = 0
    """Durable events that a member got from a snapshot or a page because they did not come live."""
    reconnects: int = 0
    probes: int = 0
    """Attempts at sessions of others that were refused."""
    prompts: int = 0
    """Replies that were asked for, all of them ended."""


@dataclass(slots=True)
class Recovery:
    """How long clients took from a heal mark to their next ack or event, in seconds."""

    fault: str
    clients: int
    p50: float
    p99: float
    never: int
    """Clients that did not recover."""


@dataclass(slots=True)
class Verdict:
    """Empty `broken`: every promise was kept. Otherwise evidence by the invariant's name."""

    broken: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    numbers: Numbers = field(default_factory=Numbers)
    recoveries: list[Recovery] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.broken

    def find(self, invariant: str, evidence: str) -> None:
        assert invariant in INVARIANTS, invariant
        self.counts[invariant] += 1
        kept = self.broken.setdefault(invariant, [])
        if len(kept) < SHOWN:
            kept.append(evidence)

    def __str__(self) -> str:
        if self.ok:
            return f"every invariant holds: {self.numbers}"
        return "\n".join(
            f"{name} is broken {self.counts[name]} times:\n  " + "\n  ".join(evidence)
            for name, evidence in self.broken.items()
        )
