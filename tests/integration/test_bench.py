"""The load generator: it counts exactly, hides no delay, and knows when it was itself the limit."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import pytest

from chatserver.loadtest import Crowd, CrowdPlan, Load, LoadError, Target, crowd, load
from chatserver.loadtest.report import row, warnings
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
