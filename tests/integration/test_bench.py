"""The load generator: it counts exactly, hides no delay, and knows when it was itself the limit."""

import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatserver.loadtest import Crowd, CrowdPlan, Load, LoadError, Target, crowd, load
from chatserver.loadtest.report import row, warnings
from tests.processes import StartProcess, environment
from tests.relay import Relay
from tests.waiting import eventually

PAIR = CrowdPlan(connections=2, rooms=1, members=2)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    double = Relay()
    await double.start()
    yield double
    await double.stop()


async def opened(relay: Relay, plan: CrowdPlan = PAIR) -> Crowd:
    return await Crowd.open(Target.parse(relay.url), plan)


@pytest.mark.parametrize("rate", [None, 400.0])
async def test_every_ack_and_delivery_is_counted_once(relay: Relay, rate: float | None) -> None:
    plan = CrowdPlan(connections=5, rooms=1, members=5)
    async with await opened(relay, plan) as five:
        measured = await five.run(Load(rate=rate, in_flight=7, messages=93))
        again = await five.run(Load(rate=rate, in_flight=7, messages=10))
    assert relay.messages == 103
    assert (measured.messages, measured.deliveries, measured.expected) == (93, 465, 465)
    assert (again.messages, again.deliveries, again.strays) == (10, 50, 0)
    assert (measured.acks.count, measured.delivery.count) == (93, 465)
    assert not measured.errors
    assert not measured.unanswered


async def test_a_lost_delivery_is_noticed(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "PATIENCE", 0.3)
    relay.dropped = {3}
    async with await opened(relay) as two:
        measured = await two.run(Load(messages=10))
    assert (measured.messages, measured.deliveries, measured.expected) == (10, 18, 20)
    assert any("18 deliveries" in warning for warning in warnings(measured))


async def test_errors_are_counted_by_code_and_owe_no_delivery(relay: Relay) -> None:
    limited = {"code": "rate_limited", "message": "slow down", "retry_after_ms": 1}
    relay.refused = {2: limited, 5: limited, 7: {"code": "not_member", "message": "join"}}
    async with await opened(relay) as two:
        measured = await two.run(Load(in_flight=2, messages=20))
    assert measured.errors == {"rate_limited": 2, "not_member": 1}
    assert (measured.messages, measured.deliveries) == (17, 34)
    said = " ".join(warnings(measured))
    assert "CHATSERVER_EVENTS_PER_SECOND" in said
    assert "CHATSERVER_EVENTS_BURST" in said


async def test_an_open_loop_counts_what_a_stall_kept_waiting(relay: Relay) -> None:
    # One message in 100 is slow by itself. The 50 that should have left meanwhile waited as well:
    # on average half the stall, so a quarter of all waited more than half of it.
    relay.stall_at, relay.stall_seconds = 20, 0.5
    async with await opened(relay) as two:
        measured = await two.run(Load(rate=100, seconds=1))
    assert measured.messages == 100
    for latencies in (measured.acks, measured.delivery):
        assert (latencies.milliseconds(80) or 0) > 200
        assert (latencies.milliseconds(99) or 0) > 450


async def test_a_closed_loop_hides_what_a_stall_kept_waiting(relay: Relay) -> None:
    relay.stall_at, relay.stall_seconds = 20, 0.5
    async with await opened(relay) as two:
        measured = await two.run(Load(in_flight=1, messages=100))
    assert (measured.acks.milliseconds(80) or 0) < 200
    assert (measured.acks.milliseconds(100) or 0) > 450


async def test_a_generator_that_is_late_itself_says_so(relay: Relay) -> None:
    loop = asyncio.get_running_loop()
    async with await opened(relay) as two:
        loop.call_later(0.1, time.sleep, 0.3)
        measured = await two.run(Load(rate=200, seconds=1))
    assert measured.blurred
    assert measured.lag.largest > 250e6
    assert (measured.late.milliseconds(99) or 0) > 200
    assert row(measured)["generator"]["blurred"] is True
    assert any("late" in warning for warning in warnings(measured))


async def test_a_generator_that_uses_its_whole_core_says_so(relay: Relay) -> None:
    burning = time.thread_time

    def burn() -> None:
        until = burning() + 0.004
        while burning() < until:
            pass
        asyncio.get_running_loop().call_soon(burn)

    async with await opened(relay) as two:
        asyncio.get_running_loop().call_soon(burn)
        measured = await two.run(Load(rate=50, seconds=0.5))
    assert measured.generator_cpu > 0.05
    # What share of a core a machine that runs other tests leaves us is not ours to decide.
    busy = dataclasses.replace(measured, generator_cpu=0.95 * measured.seconds)
    idle = dataclasses.replace(measured, generator_cpu=0.2 * measured.seconds)
    assert (busy.busy, idle.busy) == (True, False)
    assert any("saturated" in warning for warning in warnings(busy))


async def test_a_server_that_never_answers_ends_the_load(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "PATIENCE", 0.3)
    monkeypatch.setattr(load, "PATIENCE", 0.3)
    relay.silent = True
    async with await opened(relay) as two:
        measured = await two.run(Load(in_flight=4, messages=10))
    assert (measured.messages, measured.unanswered) == (0, 4)


async def test_a_refused_connection_is_an_error_with_the_servers_code(relay: Relay) -> None:
    relay.refuse_connect = {"code": "too_many_connections"}
    with pytest.raises(LoadError) as refused:
        await opened(relay)
    assert refused.value.code == "too_many_connections"


async def test_a_server_that_goes_away_is_counted(relay: Relay) -> None:
    async with await opened(relay) as two:
        relay.stall_at, relay.stall_seconds = 5, 30.0
        running = asyncio.create_task(two.run(Load(in_flight=4, messages=50)))
        await eventually(lambda: relay.messages == 6)
        for peer in two.peers:
            peer.close()
        measured = await running
    assert measured.errors["connection_lost"] == 4


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chatserver", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


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
    server = server_process(tokens_per_minute=60, events_in_flight=64, **limits)
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
