"""The programs of docs/client.md, run as they stand; mypy checks them with everything else."""

import functools
import io
import runpy
from pathlib import Path

import pytest

from tests.servers import StartServer

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
async def test_an_example_prints_what_stands_below_it(program: Path, server: StartServer) -> None:
    running = await server()
    shown = io.StringIO()
    # The server's log goes to the standard output as well.
    own_print = functools.partial(print, file=shown)
    await runpy.run_path(str(program), {"print": own_print})["main"](running.url)
    assert shown.getvalue() == printed_by(program)


def printed_by(program: Path) -> str:
    """As the comment at its end has it."""
    return program.read_text("utf-8").rpartition("\n\n# ")[2].replace("\n# ", "\n")


def test_every_example_is_shown() -> None:
    page = (EXAMPLES.parent / "client.md").read_text("utf-8")
    assert PROGRAMS
    for program in PROGRAMS:
        assert f"<!-- example: {program.stem} -->" in page
