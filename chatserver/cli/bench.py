"""`chatserver bench`."""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from chatserver.cli.long import new_event_loop

if TYPE_CHECKING:
    from chatserver.loadtest import CrowdPlan, Load, Measured, Target

LONGEST = 3_600
MOST_MESSAGES = 100_000_000
LEAST_SIZE = 36


@click.command()
@click.argument("url", default="http://127.0.0.1:8000")
@click.option("--rooms", type=click.IntRange(1, 10_000), default=2, show_default=True)
@click.option(
    "--members",
    type=click.IntRange(1, 20_000),
    default=10,
    show_default=True,
    help="connections in each room",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 20_000),
    help="rooms times members where not given; fewer are in several rooms, more are idle",
)
@click.option(
    "--participants",
    type=click.IntRange(1, 20_000),
    help="guests that share the connections; one for each where not given",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 1_000_000),
    default=20,
    show_default=True,
    help="messages per second over all connections, sent whatever the server does",
)
@click.option(
    "--closed-loop",
    is_flag=True,
    help="as fast as the server answers instead of at a rate; hides what stalls cost",
)
@click.option(
    "--in-flight",
    type=click.IntRange(1, 20_000),
    default=50,
    show_default=True,
    help="messages under way in a closed loop",
)
@click.option(
    "--size",
    type=click.IntRange(LEAST_SIZE, 1_000_000),
    default=150,
    show_default=True,
    help="bytes of text in each message",
)
@click.option(
    "--duration",
    type=click.FloatRange(0.1, LONGEST),
    default=10,
    show_default=True,
    help="seconds of load",
)
@click.option(
    "--messages", type=click.IntRange(1, MOST_MESSAGES), help="end after so many messages instead"
)
@click.option(
    "--warm-up",
    type=click.FloatRange(0, LONGEST),
    default=1,
    show_default=True,
    help="seconds of load before that are not counted",
)
@click.option("--pid", type=click.IntRange(1), help="the server's process, on this machine")
@click.option("--deflate", is_flag=True, help="offer compression, as browsers do")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="of the load generator, at most one per room",
)
@click.option("--json", "as_json", is_flag=True, help="one line of JSON, on a terminal as well")
@click.option("--i-own-this-server", is_flag=True, help="load a server that is not on this machine")
def bench(url: str, **options: Any) -> None:
    """Load the server at URL and report what it does and what that costs.

    Makes guests, rooms and messages on it: never use a server whose data matters. Its own limits
    hold: CHATSERVER_EVENTS_PER_SECOND (20 for each connection), CHATSERVER_TOKENS_PER_MINUTE (60)
    and CHATSERVER_CONNECTIONS_PER_ADDRESS (200) are what to raise on the server for a load beyond
    them.

    Latencies count from the moment a message should have left. On a terminal with a progress bar
    and a table; elsewhere one line of JSON. Exits with 1 where a message failed or was lost.
    """
    from chatserver.loadtest import CrowdPlan, Load, LoadError, Target, help_for

    given = _Given(**options)
    try:
        target = Target.parse(url, i_own_this_server=given.i_own_this_server)
        plan = CrowdPlan(
            connections=given.connections or given.rooms * given.members,
            rooms=given.rooms,
            members=given.members,
            participants=given.participants,
            deflate=given.deflate,
        )
    except LoadError as error:
        raise click.UsageError(str(error)) from None
    except ValueError as error:
        raise click.UsageError(f"--connections, --members: {error}") from None
    if given.processes > given.rooms:
        raise click.UsageError("--processes: there are fewer rooms than processes")
    load = Load(
        rate=None if given.closed_loop else given.rate,
        in_flight=given.in_flight,
        size=given.size,
        seconds=None if given.messages else given.duration,
        messages=given.messages,
    )
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            succeeded = runner.run(_bench(target, plan, load, given))
    except LoadError as error:
        hint = help_for(error.code)
        raise click.ClickException(f"{error} ({error.code}){hint and f'; {hint}'}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not succeeded:
        raise SystemExit(1)


@dataclass(frozen=True, slots=True)
class _Given:
    rooms: int
    members: int
    connections: int | None
    participants: int | None
    rate: float
    closed_loop: bool
    in_flight: int
    size: int
    duration: float
    messages: int | None
    warm_up: float
    pid: int | None
    deflate: bool
    processes: int
    as_json: bool
    i_own_this_server: bool


async def _bench(target: "Target", plan: "CrowdPlan", load: "Load", given: _Given) -> bool:
    """Whether every message was acknowledged and reached everybody."""
    from chatserver.cli.bench_view import Display, Silence
    from chatserver.loadtest import Load
    from chatserver.loadtest.crowd import Crowd
    from chatserver.loadtest.crowds import Crowds
    from chatserver.loadtest.process import Process
    from chatserver.loadtest.report import ServerCost, asked, row, warnings

    on_terminal = sys.stdout.isatty() and not given.as_json
    process = Process(given.pid) if given.pid else None
    rss, cpu = (process.rss_bytes() if process else 0), 0.0
    with Display() if on_terminal else Silence() as display:
        display.connecting(plan.connections)
        opening = (
            Crowd.open(target, plan)
            if given.processes == 1
            else Crowds.open(target, plan, given.processes, new_event_loop)
        )
        async with await opening as crowd:
            if process:
                rss = process.rss_bytes() - rss
            if given.warm_up:
                display.warming_up()
                warm = Load(load.rate, load.in_flight, load.size, seconds=given.warm_up)
                await crowd.run(warm)
            cpu = process.cpu_seconds() if process else 0.0
            measured: Measured = await crowd.run(load, display.loading(load))
            cpu = process.cpu_seconds() - cpu if process else 0.0
    cost = ServerCost(cpu, rss // plan.connections) if process else None
    report = {"url": target.base} | asked(plan, load) | row(measured, cost)
    if on_terminal:
        display.show(report)
    else:
        click.echo(json.dumps(report))
    for warning in warnings(measured):
        click.echo(f"warning: {warning}", err=True)
    return not (measured.errors or measured.unanswered) and measured.deliveries >= measured.expected
