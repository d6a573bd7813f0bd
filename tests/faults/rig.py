"""Does everything to a whole system that could happen to it, and judges what became of it.

    python -m tests.faults.rig [--profile short|long] [--seed N] [--fault NAME ...] [--ops N]

Prints a line of JSON for each trial, and a table in the end. The long profile tries each fault by
itself, the short one some of them in turn. Exit status 1 where anything was not as it has to be;
then the servers' logs and the clients' histories are kept.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from tests.faults.holding import at_rest
from tests.faults.injected import FAULTS, SHORT, Fault
from tests.faults.outcome import Outcome, table
from tests.faults.trial import Effort, Trial

BRIEF = Effort(acked=600, clients=8, sessions=6, brief=True, settings={"reply_lease_seconds": 3.0})
THOROUGH = Effort(acked=4_000, clients=24, sessions=16, rounds=2)
Plan = Sequence[Sequence[type[Fault]]]
"""What is tried, each with the faults that take turns in it."""


async def outcomes(plan: Plan, effort: Effort, seed: int, folder: Path) -> AsyncIterator[Outcome]:
    """One trial after the other, on one scene as far as they can be.

    What could not be tried to its end is an outcome too; the next begins on a new scene.
    """
    left, scenes = deque(plan), count(1)
    while left:
        stage = left[0][0].stage
        place = folder / f"scene-{next(scenes)}"
        place.mkdir()
        async with stage(place, **effort.settings) as scene:
            held = await at_rest(scene)
            while left and left[0][0].stage is stage:
                kinds = left.popleft()
                try:
                    yield await Trial(scene, kinds, effort, seed, held).run()
                except Exception as failure:
                    yield Outcome.broken_off("+".join(kind.name for kind in kinds), seed, failure)
                    break


async def run(plan: Plan, effort: Effort, seed: int, folder: Path) -> list[Outcome]:
    done = []
    async for outcome in outcomes(plan, effort, seed, folder):
        print(json.dumps(outcome.as_dict()), flush=True)
        done.append(outcome)
    return done


def main() -> None:
    given = parsed()
    effort, plan = (BRIEF, [SHORT]) if given.profile == "short" else (THOROUGH, by_stage())
    if given.ops:
        effort = replace(effort, acked=given.ops)
    if given.rounds:
        effort = replace(effort, rounds=given.rounds)
    if given.fault:
        plan = [[FAULTS[name]] for name in given.fault]
    seed = secrets.randbits(32) if given.seed is None else given.seed
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    print(f"seed {seed}, in {folder}", file=sys.stderr)
    done = asyncio.run(run(plan, effort, seed, folder))
    print(f"\n{table(done)}")
    if given.json:
        given.json.write_text(json.dumps([each.as_dict() for each in done], indent=1))
    problems = [f"{each.fault}: {problem}" for each in done for problem in each.problems]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        sys.exit(f"seed {seed}; logs and histories are in {folder}")
    shutil.rmtree(folder)


def by_stage() -> list[list[type[Fault]]]:
    kinds = sorted(FAULTS.values(), key=lambda kind: kind.stage.__name__, reverse=True)
    return [[kind] for kind in kinds]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rig")
    parser.add_argument("--profile", choices=["short", "long"], default="long")
    parser.add_argument("--seed", type=int, help="of the clients and the faults; drawn if missing")
    parser.add_argument("--fault", choices=list(FAULTS), nargs="+", help="only these, one by one")
    parser.add_argument("--ops", type=int, help="messages acked in each trial, at least")
    parser.add_argument("--rounds", type=int, help="how often each fault is injected in a trial")
    parser.add_argument("--json", type=Path, help="where the outcomes are written as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
