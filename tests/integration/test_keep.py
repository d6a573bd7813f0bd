"""`docs/keep.sh`, which runs a process under honcho, ends it in order."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import ROOT
from tests.processes import STOP_SECONDS

DRAINING = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
print("drained", flush=True)
"""
KILLED_ONCE = """
import os, pathlib, signal, sys
been = pathlib.Path("been")
if not been.exists():
    been.touch()
    os.kill(os.getpid(), signal.SIGKILL)
print("ready", flush=True)
sys.exit(3)
"""


def keep(program: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", str(ROOT / "docs/keep.sh"), sys.executable, "-c", program],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_the_script_ends_the_command_and_waits_for_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    kept = keep(DRAINING, tmp_path)
    assert kept.stdout is not None
    assert kept.stdout.readline() == "ready\n"
    kept.send_signal(number)
    said, _ = kept.communicate(timeout=STOP_SECONDS)
    assert (kept.returncode, said) == (0, "drained\n")


def test_what_was_killed_is_started_again_and_what_failed_ends(tmp_path: Path) -> None:
    kept = keep(KILLED_ONCE, tmp_path)
    said, _ = kept.communicate(timeout=STOP_SECONDS)
    assert (kept.returncode, said) == (3, "killed by signal 9; starting again\nready\n")
