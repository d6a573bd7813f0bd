"""The benchmarks' commands still run, and the servers that they compare do the same work."""

import json
import subprocess
import sys
from typing import Any

from tests.forked import ROOT
from tests.processes import environment

PYTHON = ["ours", "ours, no database", "python-socketio"]


def rows(module: str, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_server_of_the_fan_out_delivers_the_same() -> None:
    found = rows(
        "fanout", "--rounds", "2", "--members", "10", "--deliveries", "1000", "--servers", *PYTHON
    )
    rounds = [row for row in found if "round" in row]
    assert [row["server"] for row in rounds] == PYTHON * 2
    for row in rounds:
        assert (row["messages"], row["deliveries"], row["lost"], row["errors"]) == (100, 1000, 0, 0)
        assert row["cpu_us_per_delivery"] > 0
    medians = [row for row in found if "median_of" in row]
    assert [row["server"] for row in medians] == PYTHON
    (ratio,) = [row for row in found if "ratio" in row]
    assert ratio["ratio"] == "ours / python-socketio"


def test_connections_are_counted_and_weighed() -> None:
    idle, storm, *medians = rows(
        "connections", "--rounds", "1", "--connections", "20", "--idle-seconds", "0.2",
        "--storm", "50",
    )  # fmt: skip
    assert (idle["bench"], idle["connections"], idle["lost"]) == ("idle", 20, 0)
    assert (storm["bench"], storm["joined"], storm["lost"]) == ("storm", 50, 0)
    assert storm["seconds_to_all_joined"] > 0
    assert [row["median_of"] for row in medians] == [1, 1]


def test_neighbours_are_idle_and_slow_and_nothing_is_missing() -> None:
    *phases, beside, slow = rows(
        "neighbours", "--rounds", "1", "--idle", "20", "--seconds", "0.5",
    )  # fmt: skip
    assert [row["phase"] for row in phases[:4]] == [
        "alone", "beside 20 idle", "large texts", "large texts, one reads nothing",
    ]  # fmt: skip
    assert not any(row["lost"] or row["errors"] for row in phases)
    assert (phases[3]["recovered"], phases[3]["missing"]) == (30, 0)
    assert beside["delivery_p99"] > 0
    assert slow["delivery_p99"] > 0


def test_streamed_tokens_are_measured_beside_the_package() -> None:
    mine, theirs, *_, ratio = rows(
        "tokens", "--rounds", "1", "--streams", "3", "--tokens", "20", "--pace", "0.001",
    )  # fmt: skip
    assert (mine["server"], mine["failed"]) == ("ours", 0)
    assert mine["first_p99_ms"] > 0
    assert theirs["server"] == "openai package"
    assert ratio["cpu_us_per_token"] > 0


def test_the_number_of_streams_is_doubled_up_to_the_most() -> None:
    *steps, found = rows(
        "streams", "--begin", "2", "--most", "4", "--tokens", "25", "--late-ms", "10000",
    )  # fmt: skip
    assert [(step["streams"], step["failed"], step["limit"]) for step in steps] == [
        (2, 0, None), (4, 0, None),
    ]  # fmt: skip
    assert (found["carried"], found["tokens_per_s"]) == (4, 200)


def test_durable_messages_are_measured_in_rooms_of_three_sizes() -> None:
    found = rows("durable", "--rounds", "1", "--messages", "500")
    medians = [row for row in found if "median_of" in row]
    assert [row["members"] for row in medians] == [1, 10, 100]
    assert not any(row["lost"] or row["errors"] for row in found)


def test_what_another_instance_pays_is_measured_and_nothing_is_lost() -> None:
    found = rows(
        "redis", "--rounds", "1", "--members", "0", "2", "--rooms", "3", "--messages", "60",
        "--servers", "ours", "python-socketio",
    )  # fmt: skip
    rounds = [row for row in found if "round" in row]
    assert [(row["members"], row["deliveries"], row["lost"]) for row in rounds] == [
        (0, 0, 0), (0, 0, 0), (2, 120, 0), (2, 120, 0),
    ]  # fmt: skip
