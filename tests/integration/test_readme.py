"""The examples of the README, run as they stand."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.nodejs import node, web_package
from tests.servers import StartServer
from tests.waiting import PATIENCE

README = Path(__file__).resolve().parents[2] / "README.md"
URL = "http://127.0.0.1:8000"


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert URL in found
    return str(found)


async def run_until_answered(*command: str, cwd: Path) -> None:
    """Runs an example until it has shown what the bot answers."""
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # `node` may be a wrapper, whose own child must end with it.
        start_new_session=True,
    )
    assert child.stdout is not None
    output = ""
    try:
        async with asyncio.timeout(PATIENCE):
            while not re.search(r"^4 hello$", output, re.MULTILINE):
                line = await child.stdout.readline()
                assert line, output
                output += line.decode()
    except TimeoutError:
        pytest.fail(f"no answer within {PATIENCE} s: {output}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


async def test_the_python_example_is_answered(server: StartServer, tmp_path: Path) -> None:
    running = await server()
    script = tmp_path / "example.py"
    script.write_text(example("python").replace(URL, running.url))
    await run_until_answered(sys.executable, "-u", str(script), cwd=tmp_path)


async def test_the_javascript_example_is_answered(server: StartServer, tmp_path: Path) -> None:
    running = await server()
    (tmp_path / "node_modules").symlink_to(web_package().parent / "node_modules")
    script = tmp_path / "example.mjs"
    # What is streamed and what is logged share a line; the test looks for whole ones.
    quiet = re.sub(r'^socket\.on\("reply_delta".*\n', "", example("js"), flags=re.MULTILINE)
    script.write_text(quiet.replace(URL, running.url))
    await run_until_answered(node(), str(script), cwd=tmp_path)
