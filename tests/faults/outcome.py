"""What became of a fault, and of all of them as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.faults.injected import Aftermath, Fault

HEAD = (
    *("fault", "acked", "lost", "doubled", "misordered", "indeterminate, resolved"),
    *("recovered p50", "p99", "read again", "catch-ups", "taken over"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts are of messages, times in seconds."""

    fault: str
    seed: int
    acked: int
    lost: int
    doubled: int
    misordered: int
    indeterminate: int
    resolved: int
    recovered_p50: float
    recovered_p99: float
    gaps_healed: int
    """Events that servers read from the store because their broadcast did not come."""
    catch_ups: int
    takeovers: int
    evidence: str
    """That the fault did harm."""
    problems: list[str]
    """What was not as it has to be; empty: all was."""
    seconds: float

    @classmethod
    def of(
        cls, fault: Fault, seed: int, after: Aftermath, unsettled: list[str], seconds: float
    ) -> "Outcome":
        numbers, recoveries = after.verdict.numbers, after.verdict.recoveries
        worst = max((each.p99 for each in recoveries), default=0.0)
        evidence = fault.bite(after)
        problems = [f"did not settle: {each}" for each in unsettled]
        if not after.verdict.ok:
            problems.append(str(after.verdict))
        if not evidence:
            problems.append("the fault did no harm")
        if not numbers.acked:
            problems.append("nothing was acked")
        if worst > fault.expected.recovers:
            problems.append(f"recovery took {worst:.1f} s, not {fault.expected.recovers:.0f}")
        if fault.expected.acks and not all(after.acked_meanwhile) and fault.seconds:
            problems.append(f"acks stopped meanwhile: {after.acked_meanwhile}")
        if never := sum(each.never for each in recoveries):
            problems.append(f"{never} clients did not recover")
        return cls(
            fault=fault.name,
            seed=seed,
            acked=numbers.acked,
            lost=numbers.lost,
            doubled=numbers.doubled,
            misordered=numbers.misordered,
            indeterminate=numbers.indeterminate,
            resolved=numbers.resolved,
            recovered_p50=max((each.p50 for each in recoveries), default=0.0),
            recovered_p99=worst,
            gaps_healed=int(after.counted["chatserver_gaps_healed_total"]),
            catch_ups=int(after.counted["chatserver_catch_ups_total"]),
            takeovers=after.takeovers,
            evidence=evidence,
            problems=problems,
            seconds=round(seconds, 1),
        )

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
    rows = [each.row() for each in outcomes]
    sums = ("acked", "lost", "doubled", "misordered")
    total = [f"{sum(getattr(each, name) for each in outcomes):,}" for name in sums]
    pairs = [sum(getattr(each, n) for each in outcomes) for n in ("indeterminate", "resolved")]
    last = [sum(getattr(o, n) for o in outcomes) for n in ("gaps_healed", "catch_ups", "takeovers")]
    rows.append(("all", *total, f"{pairs[0]}, {pairs[1]}", "", "", *map(str, last)))
    lines = [HEAD, ("---", *("---:" for _ in HEAD[1:])), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
