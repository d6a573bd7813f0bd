"""How many replies at once, each of 50 tokens a second, one core streams to their viewers.

    python -m tests.bench.streams [--begin 50] [--most 1600] [--tokens 300] [--late-ms 50]

Doubles the number of streams until the first token of a reply takes longer than `late-ms` (p99)
from the model to the viewer, or the server's core is full, or a reply fails; then halves the step
down to a tenth. In each step every viewer asks twice: the first asks are spread over the time of a
reply, the second follow at once, so that as many are said at any time; the second are what is
measured. Prints a row for each step, with the `limit` that it met. The model and the viewers have
the second core; a step in which they needed all of it says `generator`: no limit of the server. Nor
is one that was `late` with a high `server_waited_share`: others had the server's core.
"""

import argparse
import asyncio
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop

from tests.bench.model import PacedModel
from tests.bench.rows import Row, emit
from tests.bench.servers import Started, leave_first_core, started
from tests.bench.viewer import Viewer, firsts, viewers

PACE = 0.02
FULL = 0.95
"""Of a core."""
PATIENCE = 60.0


async def step(
    server: Started, model: PacedModel, watching: list[Viewer], late_ms: float
) -> tuple[Row, str | None]:
    """The row, and what stood in the way of more."""
    length = len(model.tokens) * PACE
    dice = random.Random(len(watching))
    model.spoke_at.clear()

    async def ask_twice(viewer: Viewer) -> bool:
        return await viewer.ask(dice.uniform(0, length)) and await viewer.ask()

    async with asyncio.timeout(3 * length + PATIENCE):
        asking = [asyncio.create_task(ask_twice(viewer)) for viewer in watching]
        # From now on all are being said, until the first second ones end.
        await asyncio.sleep(length)
        begun, cpu, own = time.monotonic(), server.process.cpu_seconds(), time.process_time()
        waited = waited_seconds(server.process.pid)
        await asyncio.sleep(length)
        seconds = time.monotonic() - begun
        cpu, own = server.process.cpu_seconds() - cpu, time.process_time() - own
        waited = waited_seconds(server.process.pid) - waited
        ended = await asyncio.gather(*asking)
    first = firsts(watching, model)
    row: Row = {
        "bench": "streams",
        "streams": len(watching),
        "tokens_per_s": round(len(watching) / PACE),
        "failed": ended.count(False),
        "first_p50_ms": first.milliseconds(50),
        "first_p99_ms": first.milliseconds(99),
        "server_cpu_share": round(cpu / seconds, 2),
        "server_waited_share": round(waited / seconds, 2),
        "cpu_us_per_token": round(cpu / seconds / len(watching) * PACE * 1e6, 1),
        "generator_cpu_share": round(own / seconds, 2),
    }
    limit = None
    if not all(ended):
        limit = "failed"
    elif own / seconds > FULL:
        limit = "generator"
    elif cpu / seconds > FULL:
        limit = "server"
    elif (row["first_p99_ms"] or 0) > late_ms:
        limit = "late"
    return row | {"limit": limit}, limit


def waited_seconds(pid: int) -> float:
    """How long the server's event loop could have run and did not: others had its core."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9


async def find(options: argparse.Namespace, stack: ExitStack, folder: str) -> None:
    async with PacedModel(options.tokens, PACE) as model:
        settings = {
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": model.base_url,
            "CHATSERVER_TITLES": "false",  # a request of its own, once for each session
            "CHATSERVER_REPLIES_CONCURRENCY": str(options.most),
        }
        # This blocks, which does no harm: nobody asks the model before the server has started.
        server = stack.enter_context(started("ours", folder, settings=settings))
        leave_first_core()
        watching: list[Viewer] = []
        carried, refused, count = 0, None, options.begin
        while True:
            watching += await viewers(server.target, count - len(watching))
            row, limit = await step(server, model, watching[:count], options.late_ms)
            emit(row)
            if limit is None:
                carried = count
            else:
                refused = count
            if refused is not None and refused - carried <= carried // 10 + 1:
                break
            if carried == options.most:
                break
            count = min(2 * count, options.most) if refused is None else (carried + refused) // 2
        emit({"bench": "streams", "carried": carried, "tokens_per_s": round(carried / PACE)})
        for viewer in watching:
            viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--begin", type=int, default=50, help="streams")
    parser.add_argument("--most", type=int, default=1600, help="streams")
    parser.add_argument("--tokens", type=int, default=300, help="of each reply")
    parser.add_argument("--late-ms", type=float, default=50.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(find(options, stack, folder))


if __name__ == "__main__":
    main()
