"""`chatserver bench` as its users see it: one line of JSON, a terminal, refusals that help."""

import json
import subprocess
from typing import Any

import pytest

from tests.forked import run_forked
from tests.processes import StartProcess, environment
from tests.terminals import Terminal


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_forked(["chatserver", "bench", *arguments], env=environment(), seconds=60)


def test_the_command_prints_one_line_of_json(server_process: StartProcess) -> None:
    server = server_process()
    done = bench(
        server.url, "--rooms", "2", "--members", "3", "--rate", "50", "--messages", "40",
        "--warm-up", "0.2", "--pid", str(server.pid),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    report = json.loads(line)
    assert (report["connections"], report["rooms"], report["members"]) == (6, 2, 3)
    assert (report["messages"], report["deliveries"], report["errors"]) == (40, 120, {})
    assert report["deliveries_expected"] == 120
    for latency in ("ack_ms", "delivery_ms"):
        assert set(report[latency]) == {"p50", "p99", "p99.9", "max"}
        assert 0 < report[latency]["p50"] <= report[latency]["p99"] <= report[latency]["max"]
    assert set(report["generator"]) == {
        "cpu_share", "cpu_us_per_delivery", "lag_ms", "late_ms", "busy", "blurred",
    }  # fmt: skip
    costs = report["server"]
    assert costs["cpu_us_per_message"] == pytest.approx(3 * costs["cpu_us_per_delivery"], rel=0.01)
    assert costs["rss_bytes_per_connection"] >= 0


def test_the_command_loads_a_server_with_default_settings(server_process: StartProcess) -> None:
    limits: dict[str, Any] = {
        "events_per_second": 20,
        "events_burst": 60,
        "connections_per_address": 200,
    }
    server = server_process(tokens_per_minute=60, **limits)
    done = bench(server.url, "--duration", "1", "--warm-up", "0", "--processes", "2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["messages"] == 20


def test_limits_of_the_server_are_named(server_process: StartProcess) -> None:
    done = bench(server_process(tokens_per_minute=3).url, "--members", "4")
    assert done.returncode == 1
    assert "CHATSERVER_TOKENS_PER_MINUTE" in done.stderr
    shared = ["--rooms", "1", "--members", "2", "--participants", "1", "--warm-up", "0"]
    server = server_process(events_per_second=5, events_burst=5)
    limited = bench(server.url, *shared, "--rate", "200", "--messages", "100")
    assert limited.returncode == 1, limited.stderr
    assert json.loads(limited.stdout)["errors"]["rate_limited"] > 0
    assert "CHATSERVER_EVENTS_PER_SECOND" in limited.stderr


def test_a_server_of_somebody_else_is_refused() -> None:
    refused = bench("http://192.0.2.1:8000")
    assert refused.returncode == 2
    assert "--i-own-this-server" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["--connections", "5"], ["--processes", "3"], ["--size", "1"], ["nonsense"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert bench(*arguments).returncode == 2


def test_a_server_that_is_not_there_is_named() -> None:
    away = bench("http://127.0.0.1:9")
    assert away.returncode == 1
    assert "http://127.0.0.1:9" in away.stderr
    assert "Traceback" not in away.stderr


def test_on_a_terminal_a_table_says_the_same(server_process: StartProcess) -> None:
    server = server_process()
    command = ["chatserver", "bench", server.url, "--messages", "20"]
    with Terminal([*command, "--rate", "20"], environment()) as terminal:
        terminal.expect("loading")
        terminal.expect("deliveries_per_s")
        assert terminal.ended() == 0
