"""A measurement as one line of JSON and as a table for people: the same names in both."""

from dataclasses import dataclass
from typing import Any

from chatserver.loadtest.crowd import CrowdPlan
from chatserver.loadtest.errors import help_for
from chatserver.loadtest.histogram import Histogram
from chatserver.loadtest.load import Load
from chatserver.loadtest.measured import Measured


@dataclass(frozen=True, slots=True)
class ServerCost:
    """What the load cost the server's process, where one was named."""

    cpu_seconds: float
    rss_per_connection: int
    """Bytes that the server grew by while the connections came, for each of them."""


def asked(plan: CrowdPlan, load: Load) -> dict[str, Any]:
    """What was to be measured; `rate` is None for a closed loop."""
    return {
        "connections": plan.connections,
        "rooms": plan.rooms,
        "members": plan.members,
        "size": load.size,
        "rate": load.rate,
    }


def row(measured: Measured, cost: ServerCost | None = None) -> dict[str, Any]:
    """Times in ms, CPU in microseconds, memory in bytes; None where nothing was counted."""
    seconds = measured.seconds or 1e-9
    report: dict[str, Any] = {
        "seconds": round(measured.seconds, 3),
        "messages": measured.messages,
        "messages_per_s": round(measured.messages / seconds, 1),
        "deliveries": measured.deliveries,
        "deliveries_expected": measured.expected,
        "deliveries_per_s": round(measured.deliveries / seconds, 1),
        "deliveries_of_others": measured.strays,
        "unanswered": measured.unanswered,
        "ack_ms": percentiles(measured.acks),
        "delivery_ms": percentiles(measured.delivery),
        "errors": dict(measured.errors),
        "generator": {
            "cpu_share": round(measured.generator_share, 3),
            "cpu_us_per_delivery": _each(measured.generator_cpu, measured.deliveries),
            "lag_ms": percentiles(measured.lag),
            "late_ms": percentiles(measured.late),
            "busy": measured.busy,
            "blurred": measured.blurred,
        },
    }
    if cost is not None:
        report["server"] = {
            "cpu_share": round(cost.cpu_seconds / seconds, 3),
            "cpu_us_per_message": _each(cost.cpu_seconds, measured.messages),
            "cpu_us_per_delivery": _each(cost.cpu_seconds, measured.deliveries),
            "rss_bytes_per_connection": cost.rss_per_connection,
        }
    return report


def percentiles(histogram: Histogram) -> dict[str, float | None]:
    return {
        "p50": histogram.milliseconds(50),
        "p99": histogram.milliseconds(99),
        "p99.9": histogram.milliseconds(99.9),
        "max": histogram.milliseconds(100),
    }


def warnings(measured: Measured) -> list[str]:
    """What makes the numbers mean less than they seem to, and what helps."""
    found = []
    if measured.busy:
        found.append(
            f"the generator was saturated: it used {measured.generator_share:.0%} of a core, so "
            "rates are lower bounds; use --processes, fewer members, or a lower rate"
        )
    if measured.blurred:
        late = max(measured.lag.percentile(99) or 0, measured.late.percentile(99) or 0) / 1e6
        found.append(
            f"the generator ran {late:.0f} ms late (p99), which the latencies hold as well; give "
            "it a core of its own, or lower the rate"
        )
    for code, count in measured.errors.most_common():
        help_text = help_for(code)
        found.append(f"{count} messages failed with {code}{help_text and f': {help_text}'}")
    if measured.unanswered:
        found.append(f"{measured.unanswered} messages were never answered")
    if measured.deliveries != measured.expected:
        found.append(
            f"{measured.deliveries} deliveries came, {measured.expected} were owed: some were "
            "lost, doubled, or cut off at the end"
        )
    return found


def _each(seconds: float, count: int) -> float | None:
    return round(seconds / count * 1e6, 2) if count else None
