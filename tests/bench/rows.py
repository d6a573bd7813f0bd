"""Rows of benchmarks: one line of JSON each, and medians over rounds."""

import json
import statistics
from collections.abc import Sequence
from typing import Any

from chatserver.loadtest import Measured

Row = dict[str, Any]


def loaded(measured: Measured, server_cpu: float) -> Row:
    """What a load showed, in the names of all benchmarks. CPU of the server, all threads."""
    return {
        "messages": measured.messages,
        "deliveries": measured.deliveries,
        "lost": measured.expected - measured.deliveries,
        "errors": sum(measured.errors.values()) + measured.unanswered,
        "messages_per_s": round(measured.messages / measured.seconds),
        "deliveries_per_s": round(measured.deliveries / measured.seconds),
        "cpu_us_per_message": round(server_cpu / measured.messages * 1e6, 1),
        "cpu_us_per_delivery": round(server_cpu / measured.deliveries * 1e6, 2),
        "server_cpu_share": round(server_cpu / measured.seconds, 2),
        "ack_p50_ms": measured.acks.milliseconds(50),
        "ack_p99_ms": measured.acks.milliseconds(99),
        "delivery_p99_ms": measured.delivery.milliseconds(99),
        "generator_cpu_share": round(measured.generator_share, 2),
        "generator_us_per_delivery": round(measured.generator_cpu / measured.deliveries * 1e6, 2),
        "generator_lag_p99_ms": measured.lag.milliseconds(99),
    }


def medians(rows: Sequence[Row]) -> Row:
    """The median of every number; what is no number is as in the first row."""
    return {
        key: statistics.median(row[key] for row in rows)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for key, value in rows[0].items()
        if key != "round"
    } | {"median_of": len(rows)}


def emit(row: Row) -> None:
    print(json.dumps(row), flush=True)
