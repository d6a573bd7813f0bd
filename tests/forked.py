"""Commands of ours without the time that it takes to import them.

Each runs in a fork of a process that has imported everything and done nothing else: an interpreter
of its own in all that matters, with its own files, folder, environment and exit status.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from threading import Timer

_started: "list[subprocess.Popen[str]]" = []


def run_forked(
    arguments: list[str], given: str, environment: Mapping[str, str], cwd: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of `python -m chatserver`. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryDirectory(prefix="forked-") as place:
        files = [str(Path(place) / name) for name in ("in", "out", "err")]
        Path(files[0]).write_text(given)
        order = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd)}
        status = _ask(json.dumps({**order, "files": files}), seconds)
        if status is None:
            raise subprocess.TimeoutExpired(arguments, seconds)
        out, err = (Path(file).read_text() for file in files[1:])
        return subprocess.CompletedProcess(arguments, status, out, err)


def _ask(order: str, seconds: float) -> int | None:
    """None: it took too long, and was ended."""
    if not _started or _started[0].poll() is not None:
        _started[:] = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.forked"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                cwd=Path(__file__).resolve().parents[1],
            )
        ]
        atexit.register(_started[0].kill)
    forker = _started[0]
    assert forker.stdin is not None
    assert forker.stdout is not None
    timer = Timer(seconds, os.killpg, (forker.pid, 9))
    timer.start()
    try:
        forker.stdin.write(f"{order}\n")
        forker.stdin.flush()
        answer = forker.stdout.readline()
    finally:
        timer.cancel()
    return int(answer) if answer else None


def _serve() -> None:
    import chatserver.app
    import chatserver.cli.copy
    import chatserver.cli.session_files
    import chatserver.worker  # noqa: F401 (this is what takes the time)

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, object]) -> None:
    from chatserver.cli import main

    status: object = 1
    try:
        files = order["files"]
        assert isinstance(files, list)
        flags = [os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2]
        for number, (file, flag) in enumerate(zip(files, flags, strict=True)):
            os.dup2(os.open(file, flag, 0o600), number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (of the file that is 0 now)
        os.environ.clear()
        os.environ.update(order["environment"])  # type: ignore[call-overload]
        os.chdir(str(order["cwd"]))
        main(order["arguments"], prog_name="chatserver")
        status = 0
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    _serve()
