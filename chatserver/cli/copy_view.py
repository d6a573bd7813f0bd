"""How far a copy is: a bar on a terminal, a few lines elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from chatserver.store.moving.run import Copied

PARTS = 10
"""Lines for each table that is not copied at once."""
SHOWN_DIGITS = 16


class Lines:
    """`store.moving.run.Progress`, for pipes."""

    def __init__(self) -> None:
        self._step = ""
        self._done = self._total = self._told = 0
        self._began = time.monotonic()

    def resuming(self) -> None:
        self._say("going on with the unfinished copy")

    def starting_over(self) -> None:
        self._say("the source has changed since the copy was begun: beginning anew")

    def begin(self, step: str, table: str, total: int) -> None:
        self._step, self._total = f"{step} {table}", total
        self._done = self._told = 0

    def advance(self, rows: int) -> None:
        self._done += rows
        part = self._done * PARTS // self._total if self._total else PARTS
        if part > self._told:
            self._told = part
            self._say(f"{self._step}: {self._done} of {self._total}")

    def finished(self, copied: "Sequence[Copied]") -> None:
        for each in copied:
            digest = f"sha256 {each.digest.sha256[:SHOWN_DIGITS]}"
            self._say(f"{each.table}: {each.digest.count} rows, {digest}, the same on both sides")
        rows, seconds = sum(each.digest.count for each in copied), time.monotonic() - self._began
        rate = f"{rows / max(seconds, 0.001):.0f} rows/s"
        self._say(f"the copy is complete: {rows} rows in {seconds:.1f} s, {rate}")

    def _say(self, line: str) -> None:
        click.echo(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Bar(Lines):
    """A progress bar of the table at hand."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None)

    def begin(self, step: str, table: str, total: int) -> None:
        self._progress.reset(self._task, description=f"{step} {table}", total=total)

    def advance(self, rows: int) -> None:
        self._progress.advance(self._task, rows)

    def _say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, markup=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
