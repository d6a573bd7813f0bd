"""What became of a trial, and of all of them as a table."""

import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.findings import Verdict
from tests.faults.injected import Fault
from tests.faults.regained import quantile

HEAD = (
    *("fault", "acked", "lost", "doubled", "misordered", "indeterminate, resolved"),
    *("recovered p50", "p99", "wire losses healed", "catch-ups", "taken over"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that was injected and healed once."""

    fault: Fault
    acked_meanwhile: int
    evidence: str

    def problems(self) -> list[str]:
        found = []
        if not self.evidence:
            found.append(f"{self.fault.name} did no harm")
        if self.fault.expected.acks and self.fault.seconds and not self.acked_meanwhile:
            found.append(f"acks stopped during {self.fault.name}")
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts are of messages, times in seconds."""

    fault: str
    seed: int
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    misordered: int = 0
    indeterminate: int = 0
    resolved: int = 0
    recovered_p50: float = 0.0
    recovered_p99: float = 0.0
    """From the heal until a client has acks and all that was said, over all clients and rounds."""
    gaps_healed: int = 0
    """Events that servers read from the store because their broadcast did not come."""
    catch_ups: int = 0
    takeovers: int = 0
    """Of replies."""
    evidence: list[str] = field(default_factory=list)
    """That the fault did harm, each time."""
    acked_meanwhile: list[int] = field(default_factory=list)
    """While the fault lasted, each time."""
    problems: list[str] = field(default_factory=list)
    """What was not as it has to be; empty: all was."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Of each phase."""

    @classmethod
    def of(
        cls,
        name: str,
        seed: int,
        done: Sequence[Done],
        verdict: Verdict,
        regained: Mapping[str, list[float]],
        counted: Counter[str],
        takeovers: int,
        unsettled: Sequence[str],
        seconds: dict[str, float],
    ) -> "Outcome":
        """`counted` is by how much the metrics of all instances grew."""
        numbers = verdict.numbers
        problems = [f"did not settle: {each}" for each in unsettled]
        problems += [problem for each in done for problem in each.problems()]
        if not verdict.ok:
            problems.append(str(verdict))
        if not numbers.acked:
            problems.append("nothing was acked")
        for fault in {each.fault.name: each.fault for each in done}.values():
            slowest = quantile(regained[fault.name], 0.99)
            if slowest > fault.expected.recovers:
                problems.append(f"recovery from {fault.name} took {slowest:.1f} s")
        for recovery in verdict.recoveries:
            if recovery.never:
                problems.append(f"{recovery.never} clients did not recover from {recovery.fault}")
        every = sorted(each for seconds in regained.values() for each in seconds)
        return cls(
            fault=name,
            seed=seed,
            acked=numbers.acked,
            lost=numbers.lost,
            doubled=numbers.doubled,
            misordered=numbers.misordered,
            indeterminate=numbers.indeterminate,
            resolved=numbers.resolved,
            recovered_p50=round(quantile(every, 0.5), 3),
            recovered_p99=round(quantile(every, 0.99), 3),
            gaps_healed=int(counted["gaps_healed_total"]),
            catch_ups=int(counted["catch_ups_total"]),
            takeovers=takeovers,
            evidence=[each.evidence for each in done],
            acked_meanwhile=[each.acked_meanwhile for each in done],
            problems=problems,
            seconds=seconds,
        )

    @classmethod
    def broken_off(cls, name: str, seed: int, failure: Exception) -> "Outcome":
        """It could not be tried to its end."""
        why = "".join(traceback.format_exception(failure))
        return cls(name, seed, problems=[why])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def row(self) -> tuple[str, ...]:
        return (
            self.fault + (" **!**" if self.problems else ""),
            f"{self.acked:,}",
            str(self.lost),
            str(self.doubled),
            str(self.misordered),
            f"{self.indeterminate}, {self.resolved}",
            f"{self.recovered_p50:.2f} s",
            f"{self.recovered_p99:.2f} s",
            str(self.gaps_healed),
            str(self.catch_ups),
            str(self.takeovers),
        )


def table(outcomes: Sequence[Outcome]) -> str:
    """In Markdown, with a sum; `!` marks those with problems."""

    def total(name: str) -> int:
        return sum(getattr(each, name) for each in outcomes)

    sums = ("all", f"{total('acked'):,}", *(str(total(n)) for n in ("lost", "doubled")))
    unclear = f"{total('indeterminate')}, {total('resolved')}"
    healed = (str(total(name)) for name in ("gaps_healed", "catch_ups", "takeovers"))
    last = (*sums, str(total("misordered")), unclear, "", "", *healed)
    ruler = ("---", *("---:" for _ in HEAD[1:]))
    rows = (HEAD, ruler, *(each.row() for each in outcomes), last)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
