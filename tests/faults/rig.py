"""Does everything to a whole system that could happen to it, and judges what became of it.

    python -m tests.faults.rig [--profile short|long] [--seed N] [--fault NAME ...] [--ops N]

Prints a line of JSON for each fault, and a table in the end. Exit status 1 where anything was not
as it has to be; then the servers' logs and the clients' histories are kept.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from pathlib import Path

from tests.faults.injected import FAULTS, SHORT, Fault
from tests.faults.metered import at_rest
from tests.faults.outcome import Outcome, table
from tests.faults.trial import Effort, Trial

BRIEF = Effort(acked=600, clients=10, sessions=8, brief=True)
THOROUGH = Effort(acked=5_000, clients=24, sessions=16, rounds=3)


async def outcomes(
    kinds: Sequence[type[Fault]], effort: Effort, seed: int, folder: Path
) -> AsyncIterator[Outcome]:
    """One after the other, on one scene as far as they can be."""
    for stage, group in groupby(kinds, key=lambda kind: kind.stage):
        place = folder / stage.__name__.lower()
        place.mkdir(exist_ok=True)
        async with stage(place) as scene:
            held, left = await at_rest(scene), list(group)
            while left:
                kind = left.pop(0)
                # Coming to rest takes longer than a brief trial.
                rests = not effort.brief or not left
                yield await Trial(scene, kind, effort, seed, held if rests else None).run()


async def run(
    kinds: Sequence[type[Fault]], effort: Effort, seed: int, folder: Path
) -> list[Outcome]:
    done = []
    async for outcome in outcomes(kinds, effort, seed, folder):
        print(json.dumps(outcome.as_dict()), flush=True)
        done.append(outcome)
    return done


def main() -> None:
    given = parsed()
    long = given.profile == "long"
    effort = THOROUGH if long else BRIEF
    if given.ops:
        effort = Effort(given.ops, effort.clients, effort.sessions, effort.rounds, effort.brief)
    kinds = list(FAULTS.values()) if long else list(SHORT)
    if given.fault:
        kinds = [FAULTS[name] for name in given.fault]
    kinds.sort(key=lambda kind: kind.stage.__name__, reverse=True)
    seed = secrets.randbits(32) if given.seed is None else given.seed
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    # The servers of the scene run as they are; PostgreSQL as another user, who must get in.
    folder.chmod(0o755)
    print(f"seed {seed}, in {folder}", file=sys.stderr)
    done = asyncio.run(run(kinds, effort, seed, folder))
    print(f"\n{table(done)}")
    if given.json:
        given.json.write_text(json.dumps([each.as_dict() for each in done], indent=1))
    if any(each.problems for each in done):
        for each in done:
            for problem in each.problems:
                print(f"{each.fault}: {problem}", file=sys.stderr)
        print(f"seed {seed}; logs and histories are in {folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rig")
    parser.add_argument("--profile", choices=["short", "long"], default="long")
    parser.add_argument("--seed", type=int, help="of the clients and the faults; drawn if missing")
    parser.add_argument("--fault", choices=list(FAULTS), nargs="+", help="only these")
    parser.add_argument("--ops", type=int, help="messages acked for each fault, at least")
    parser.add_argument("--json", type=Path, help="where the outcomes are written as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
