"""What `chatserver bots` shows on a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(rows: Sequence[dict[str, Any]]) -> None:
    """One table; a column for each thing that any of the rows tells."""
    columns = [
        column
        for column in dict.fromkeys(column for row in rows for column in row)
        if column != "key_variable"
    ]
    table = Table(box=None)
    for column in columns:
        table.add_column("" if column in ("ok", "default") else column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row, column)) for column in columns))
    if rows:
        Console().print(table)


def _cell(row: dict[str, Any], column: str) -> str:
    match column, row.get(column):
        case "ok", ok:
            return "ok" if ok else "failed"
        case "default", default:
            return "default" if default else ""
        case "key", "missing":
            return f"missing ({row['key_variable']})"
        case _, None:
            return ""
        case _, value:
            return str(value)
