"""`chatserver talk` as the tests of this folder start it."""

import subprocess

from tests.forked import run_forked
from tests.processes import environment
from tests.terminals import Terminal

SECONDS = 40


def terminal(
    url: str, *arguments: str, lines: int = 40, columns: int = 120, **variables: str
) -> Terminal:
    """On a terminal of its own; `variables` are added to its environment as they are."""
    command = ["chatserver", "talk", "--url", url, *arguments]
    return Terminal(command, {**environment(), **variables}, lines=lines, columns=columns)


def piped(url: str, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
    """With `given` as its whole input."""
    command = ["chatserver", "talk", "--url", url, *arguments]
    return run_forked(command, env=environment(), given=given, seconds=SECONDS)


def invitation(shown: Terminal, url: str) -> str:
    """The link that `/invite` shows."""
    shown.type("/invite")
    shown.expect("until 20")
    return url + shown.expect("\r").partition(url)[2].strip()
