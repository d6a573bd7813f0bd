"""What `chatserver bench` shows on a terminal."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from chatserver.loadtest import Load

OnProgress = Callable[[int, int], None]


class Silence:
    """For pipes: the report is all they get."""

    def connecting(self, connections: int) -> None: ...
    def warming_up(self) -> None: ...
    def show(self, report: dict[str, Any]) -> None: ...
    def loading(self, load: Load) -> OnProgress | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Display(Silence):
    """A progress bar while it runs, a table at the end."""

    def __init__(self) -> None:
        self._console = Console()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("", total=None, counts="")

    def connecting(self, connections: int) -> None:
        self._progress.update(self._task, description=f"connecting {connections}")

    def warming_up(self) -> None:
        self._progress.update(self._task, description="warming up")

    def loading(self, load: Load) -> OnProgress:
        total, seconds = load.total, load.seconds
        self._progress.reset(self._task, description="loading", total=total or seconds)

        def tell(messages: int, deliveries: int) -> None:
            elapsed = self._progress.tasks[0].elapsed or 0.0
            self._progress.update(
                self._task,
                completed=messages if total else elapsed,
                counts=f"{messages} messages, {deliveries} deliveries",
            )

        return tell

    def show(self, report: dict[str, Any]) -> None:
        table = Table(show_header=False, box=None)
        for name, value in _flat(report):
            if value is not None:
                table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
        self._console.print(table)

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


def _flat(report: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in report.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{key} ")
        else:
            found.append((before + key, value))
    return found
