"""What a busy room of 100 notices of its neighbours: thousands who are idle, one who reads nothing.

    python -m tests.bench.neighbours [--rounds 3] [--idle 10000] [--seconds 15]

Every round starts a server of its own on the first core. The room hears messages at a steady rate
(an open loop: a stall makes all that should have left meanwhile late) three times: alone; with
idle connections beside it; with one more member who stops reading, in messages large enough for
that to matter. Prints a row for each phase of each round, medians, and the ratios of the rounds'
delivery p99 to that of the same load without the neighbour.

The member who read nothing comes back in the end and asks for what it missed: `recovered` is how
much of that it got, `missing` how many seqs it still has not (0, or G2 is broken).
"""

import argparse
import asyncio
import re
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass

import aiohttp
import uvloop

from chatserver.loadtest import Crowd, CrowdPlan, Load
from chatserver.loadtest.peer import Peer
from chatserver.loadtest.tally import Tally
from chatserver.loadtest.target import Target
from chatserver.loadtest.tokens import issue
from tests.bench.rows import Row, emit, loaded, medians
from tests.bench.servers import Started, leave_first_core, started

MEMBERS = 100
SMALL = 150
LARGE = 8_000
LOOK = 0.1
GONE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    idle: int
    rate: float
    large_rate: float
    seconds: float

    def load(self, size: int = SMALL) -> Load:
        rate = self.rate if size == SMALL else self.large_rate
        return Load(rate=rate, size=size, seconds=self.seconds)


async def measure(server: Started, plan: Plan) -> list[Row]:
    tokens = await issue(server.target, MEMBERS + plan.idle + 1)
    room = CrowdPlan(MEMBERS, rooms=1, members=MEMBERS)
    async with await Crowd.open(server.target, room, tokens) as crowd:
        await crowd.run(Load(in_flight=10, messages=200))
        rows = [await _phase(server, crowd, plan.load(), "alone")]
        idle = CrowdPlan(plan.idle, rooms=0, members=0, deflate=True)
        async with await Crowd.open(server.target, idle, tokens[MEMBERS:-1]) as others:
            row = await _phase(server, crowd, plan.load(), f"beside {plan.idle} idle")
            rows.append(row | {"idle_lost": sum(peer.lost for peer in others.peers)})
        await _gone(server.target)
        rows.append(await _phase(server, crowd, plan.load(LARGE), "large texts"))
        rows.append(await _with_slow_reader(server, crowd, plan, tokens[-1]))
    return rows


async def _with_slow_reader(server: Started, crowd: Crowd, plan: Plan, token: str) -> Row:
    session_id = crowd.sessions[0]
    slow = await Peer.connect(server.target, token, Tally(b"-slow---"))
    known = (await slow.call("join_session", {"session_id": session_id}))["to_seq"]
    slow.pause_reading()
    row = await _phase(server, crowd, plan.load(LARGE), "large texts, one reads nothing")
    row["cut_off"] = await _metric(server.target, "connections_cut_off_total")
    slow.close()

    back = await Peer.connect(server.target, token, Tally(b"-back---"))
    joined = await back.call("join_session", {"session_id": session_id, "after_seq": known})
    last, found = joined["to_seq"], {event["seq"] for event in joined["events"]}
    if not joined["complete"]:
        after = known
        while True:
            asked = {"session_id": session_id, "after_seq": after}
            page = await back.call("get_history", asked)
            found |= {event["seq"] for event in page["events"]}
            after = page["events"][-1]["seq"]
            if page["complete"] or after >= last:
                break
    back.close()
    wanted = set(range(known + 1, last + 1))
    return row | {"recovered": len(wanted & found), "missing": len(wanted - found)}


async def _phase(server: Started, crowd: Crowd, load: Load, name: str) -> Row:
    rss, cpu = server.process.rss_bytes(), server.process.cpu_seconds()
    measured = await crowd.run(load)
    cpu = server.process.cpu_seconds() - cpu
    grown = server.process.rss_bytes() - rss
    row = {"bench": "neighbours", "phase": name, "text_bytes": load.size}
    row |= loaded(measured, cpu)
    return row | {
        "delivery_p50_ms": measured.delivery.milliseconds(50),
        "rss_grown_bytes": grown,
    }


async def _gone(target: Target) -> None:
    """The idle ones: thousands that leave at once are a load of their own."""
    async with asyncio.timeout(GONE_SECONDS):
        while await _metric(target, "connections") > MEMBERS:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(LOOK)


async def _metric(target: Target, name: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{target.base}/metrics") as answer:
        found = re.search(rf"^chatserver_{name} (\S+)", await answer.text(), re.MULTILINE)
    assert found is not None, name
    return int(float(found[1]))


def ratio(of: Row, to: Row, rows: dict[str, list[Row]]) -> Row:
    each = [
        one["delivery_p99_ms"] / other["delivery_p99_ms"]
        for one, other in zip(rows[of["phase"]], rows[to["phase"]], strict=True)
    ]
    return {
        "bench": "neighbours",
        "ratio": f"{of['phase']} / {to['phase']}",
        "delivery_p99": round(statistics.median(each), 3),
        "delivery_p99_range": [round(min(each), 3), round(max(each), 3)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=20, help="messages per second")
    parser.add_argument("--large-rate", type=float, default=60, help="of large texts")
    parser.add_argument("--seconds", type=float, default=15, help="of each phase")
    options = parser.parse_args()
    plan = Plan(options.idle, options.rate, options.large_rate, options.seconds)
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder, started("ours", folder) as server:
            leave_first_core()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                for row in runner.run(measure(server, plan)):
                    emit(row | {"round": number})
                    found[row["phase"]].append(row)
    rows = [medians(each) for each in found.values()]
    for row in rows:
        emit(row)
    alone, beside, large, slow = rows
    emit(ratio(beside, alone, found))
    emit(ratio(slow, large, found))


if __name__ == "__main__":
    main()
