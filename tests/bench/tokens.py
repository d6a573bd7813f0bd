"""What a streamed token costs: our server with one viewer, beside the bare openai package.

    python -m tests.bench.tokens [--rounds 5] [--streams 20] [--tokens 200] [--pace 0.02]

A model on the second core speaks `streams` answers at once, a token each `pace` seconds. Ours
reads them through a bot, writes the replies and streams each to the one viewer of its session; the
package only reads. Both have the first core for themselves, in turns. Prints a row for each round,
medians, and the ratio as the median of the rounds' ratios. Ours pays for the prompt, for the
reply's claim and its end too, spread over its tokens. `first_ms` counts from when the model wrote
its first token to when the viewer had it.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import uvloop

from tests.bench.model import PacedModel
from tests.bench.rows import Row, emit, medians
from tests.bench.servers import PEERS, Started, first_core, leave_first_core, started
from tests.bench.viewer import Viewer, firsts, viewers

PATIENCE = 120.0
SPREAD_TOKENS = 10
"""The replies begin within the time of so many tokens, as nobody's begin together."""


async def ours(server: Started, watching: list[Viewer], model: PacedModel) -> Row:
    tokens = len(watching) * len(model.tokens)
    dice = random.Random(len(watching))
    cpu, begun = server.process.cpu_seconds(), time.monotonic()
    async with asyncio.timeout(PATIENCE):
        ended = await asyncio.gather(
            *[viewer.ask(dice.uniform(0, SPREAD_TOKENS * model.pace)) for viewer in watching]
        )
    cpu = server.process.cpu_seconds() - cpu
    first = firsts(watching, model)
    return {
        "bench": "tokens",
        "server": "ours",
        "streams": len(watching),
        "failed": ended.count(False),
        "cpu_us_per_token": round(cpu / tokens * 1e6, 1),
        "server_cpu_share": round(cpu / (time.monotonic() - begun), 2),
        "first_p50_ms": first.milliseconds(50),
        "first_p99_ms": first.milliseconds(99),
    }


async def package(model: PacedModel, streams: int) -> Row:
    seconds = SPREAD_TOKENS * model.pace
    child = await asyncio.create_subprocess_exec(
        "taskset", "-c", str(first_core()), sys.executable, str(PEERS / "bare_openai.py"),
        model.base_url, str(streams), str(seconds), stdout=subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
    cpu = json.loads(output)["cpu"]
    return {
        "bench": "tokens",
        "server": "openai package",
        "streams": streams,
        "failed": 0,
        "cpu_us_per_token": round(cpu / streams / len(model.tokens) * 1e6, 1),
    }


async def compare(options: argparse.Namespace, stack: ExitStack, folder: str) -> None:
    async with PacedModel(options.tokens, options.pace) as model:
        settings = {
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": model.base_url,
            "CHATSERVER_TITLES": "false",  # a request of its own, once for each session
            "CHATSERVER_REPLIES_CONCURRENCY": str(max(100, options.streams)),
        }
        # This blocks, which does no harm: nobody asks the model before the server has started.
        server = stack.enter_context(started("ours", folder, settings=settings))
        leave_first_core()
        watching = await viewers(server.target, options.streams)
        await ours(server, watching[:1], model)
        rows: dict[str, list[Row]] = {"ours": [], "openai package": []}
        for number in range(options.rounds):
            for row in (
                await ours(server, watching, model),
                await package(model, options.streams),
            ):
                emit(row | {"round": number})
                rows[row["server"]].append(row)
        for each in rows.values():
            emit(medians(each))
        ratios = [
            mine["cpu_us_per_token"] / theirs["cpu_us_per_token"]
            for mine, theirs in zip(rows["ours"], rows["openai package"], strict=True)
        ]
        emit(
            {
                "bench": "tokens",
                "ratio": "ours / openai package",
                "streams": options.streams,
                "cpu_us_per_token": round(statistics.median(ratios), 3),
                "cpu_us_per_token_range": [round(min(ratios), 3), round(max(ratios), 3)],
            }
        )
        for viewer in watching:
            viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--pace", type=float, default=0.02, help="seconds")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(compare(options, stack, folder))


if __name__ == "__main__":
    main()
