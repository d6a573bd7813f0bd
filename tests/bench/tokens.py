"""What a streamed token costs: our server with one viewer, beside the bare openai package.

    python -m tests.bench.tokens [--rounds 5] [--streams 20] [--tokens 200] [--pace 0.02]

A fake model on the second core speaks `streams` answers at once, a token each `pace` seconds. Ours
reads them through a bot, writes the replies and streams each to the one viewer of its session; the
package only reads. Both have the first core for themselves, in turns. Prints a row for each round,
medians, and the ratio as the median of the rounds' ratios. `first_ms` counts from when the model
spoke its first token to when the viewer had it, the prompt's commit included.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import uvloop

from chatserver.loadtest.histogram import Histogram
from chatserver.loadtest.peer import Peer
from chatserver.loadtest.tally import Tally
from chatserver.loadtest.target import Target
from chatserver.loadtest.tokens import issue
from chatserver.testing import FakeModel, Speak
from tests.bench.rows import Row, emit, medians
from tests.bench.servers import PEERS, Started, first_core, leave_first_core, started

PATIENCE = 120.0
DELTA = b'42/chat,["reply_delta"'
FINISHED = b'42/chat,["reply_finished"'
FAILED = b'42/chat,["reply_failed"'
TALLY = b"-tokens-"


class Viewer(Peer):
    """The one member of a session who reads the reply."""

    __slots__ = ("ended_well", "first_at", "session_id")

    session_id: str
    ended_well: asyncio.Future[bool]
    first_at: float

    def ask(self) -> None:
        self.first_at = 0.0
        self.ended_well = asyncio.get_running_loop().create_future()
        self.send_message(self.session_id.encode(), time.monotonic_ns(), 20)

    def packet(self, data: bytes, start: int, stop: int) -> None:
        if data.startswith(DELTA, start):
            self.first_at = self.first_at or time.monotonic()
        elif data.startswith((FINISHED, FAILED), start):
            self.ended_well.set_result(data.startswith(FINISHED, start))
        else:
            super().packet(data, start, stop)


async def viewers(target: Target, count: int) -> list[Viewer]:
    tokens = await issue(target, count)
    made = [await Viewer.connect(target, token, Tally(TALLY)) for token in tokens]
    for viewer in made:
        session = await viewer.call("create_session", {"bot": "gpt"})
        viewer.session_id = session["session"]["id"]
    return made


async def ours(server: Started, watching: list[Viewer], pace: float, tokens: int) -> Row:
    cpu, begun = server.process.cpu_seconds(), time.monotonic()
    for viewer in watching:
        viewer.ask()
    async with asyncio.timeout(PATIENCE):
        ended = await asyncio.gather(*[viewer.ended_well for viewer in watching])
    cpu = server.process.cpu_seconds() - cpu
    first = Histogram()
    for viewer in watching:
        first.record(round((viewer.first_at - begun - pace) * 1e9))
    return {
        "bench": "tokens",
        "server": "ours",
        "streams": len(watching),
        "failed": ended.count(False),
        "cpu_us_per_token": round(cpu / len(watching) / tokens * 1e6, 1),
        "server_cpu_share": round(cpu / (time.monotonic() - begun), 2),
        "first_p50_ms": first.milliseconds(50),
        "first_p99_ms": first.milliseconds(99),
    }


async def package(base_url: str, streams: int, tokens: int) -> Row:
    child = await asyncio.create_subprocess_exec(
        "taskset", "-c", str(first_core()), sys.executable, str(PEERS / "bare_openai.py"),
        base_url, str(streams), stdout=subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
    cpu = json.loads(output)["cpu"]
    return {
        "bench": "tokens",
        "server": "openai package",
        "streams": streams,
        "failed": 0,
        "cpu_us_per_token": round(cpu / streams / tokens * 1e6, 1),
    }


async def compare(options: argparse.Namespace, stack: ExitStack, folder: str) -> None:
    spoken = Speak(pieces=[f"token{n % 10} " for n in range(options.tokens)], pace=options.pace)
    async with FakeModel(default=spoken) as model:
        settings = {
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": model.base_url,
            "CHATSERVER_REPLIES_CONCURRENCY": str(max(100, options.streams)),
        }
        # This blocks, which does no harm: nobody asks the model before the server has started.
        server = stack.enter_context(started("ours", folder, settings=settings))
        leave_first_core()
        watching = await viewers(server.target, options.streams)
        await ours(server, watching[:1], options.pace, options.tokens)
        rows: dict[str, list[Row]] = {"ours": [], "openai package": []}
        for number in range(options.rounds):
            for row in (
                await ours(server, watching, options.pace, options.tokens),
                await package(model.base_url, options.streams, options.tokens),
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
