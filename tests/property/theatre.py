"""Plays programs and says what went wrong."""

import asyncio
import shutil
from pathlib import Path

from structlog.testing import capture_logs

from chatserver.replies.run import BEAT_SECONDS
from chatserver.store.migrate import migrate
from tests.property.leaping import LeapingLoop
from tests.property.play import Play
from tests.property.programs import BOTS, Program
from tests.property.stage import Stage, open_stage
from tests.property.verdict import complaints
from tests.property.workers import start_task

REST_SECONDS = 600
"""Within which everything that was asked for ends, once nothing happens any more."""
ACTIVE = "SELECT id FROM reply WHERE state IN ('queued', 'running')"
CRASHES = {"reply_worker_crashed", "reply_crashed"}


class Theatre:
    """Plays programs, each on a database and in a time of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._empty = folder / "empty.db"
        migrate(f"sqlite:///{self._empty}")

    def complaints(self, program: Program) -> list[str]:
        """What went wrong."""
        database = self._folder / "play.db"
        for left in self._folder.glob("play.db*"):
            left.unlink()
        shutil.copy(self._empty, database)
        with capture_logs() as logged, asyncio.Runner(loop_factory=LeapingLoop) as runner:
            runner.get_loop().set_task_factory(start_task)  # type: ignore[arg-type]
            found = runner.run(_played(program, database))
        return found + sorted({entry["event"] for entry in logged} & CRASHES)


async def _played(program: Program, database: Path) -> list[str]:
    scripts = dict(zip(BOTS, program.scripts, strict=False))
    async with open_stage(database, scripts) as stage:
        play = Play(program, stage, list(scripts))
        await play.perform()
        await stage.heal()
        resting = await _comes_to_rest(stage)
        return resting + list(complaints(stage, play, list(scripts)))


async def _comes_to_rest(stage: Stage) -> list[str]:
    """Nothing waits or runs, nothing is left open upstream, and the workers can go."""
    for _ in range(REST_SECONDS):
        if not stage.rows(ACTIVE):
            break
        await asyncio.sleep(1)
    # Whoever stood still learns at its next beat that its reply was taken over.
    await asyncio.sleep(BEAT_SECONDS + 0.5)
    left = [f"{model.open_streams} streams left" for model in stage.models if model.open_streams]
    running = [f"{n} still run" for worker in stage.workers if (n := worker.pool.running)]
    for worker in stage.workers:
        async with asyncio.timeout(60):
            await worker.drain()
    return left + running
