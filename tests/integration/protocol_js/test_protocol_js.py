"""Runs the protocol tests of npm's socket.io-client under Node, against real servers."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.bots.echo import EchoBot
from chatserver.chat import errors
from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import BotError, ReplyContext
from tests.nodejs import node, web_package
from tests.processes import StartProcess
from tests.servers import StartServer

HERE = Path(__file__).parent
SECONDS = 100

NOT_MADE_HERE = {
    errors.Internal.code,
    errors.Unavailable.code,
    errors.Draining.code,
    errors.TooManyInFlight.code,
    errors.PayloadTooLarge.code,
    errors.SlowConsumer.code,
}
"""Errors that no client can cause at will, or that are of other doors; their tests see to them."""


class BrokenBot:
    info = BotInfo(name="broken", description="never answers")

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        for _ in context.messages:
            raise BotError("out_for_tea", "the bot is out for tea", retryable=True)
        yield ""


@pytest.mark.parametrize(
    ("client", "transports"),
    [
        ("socket.io-client", "websocket"),
        ("socket.io-client", "polling"),
        ("socket.io-client", "polling websocket"),
        ("socket.io-client-3", "polling websocket"),
    ],
)
async def test_the_whole_protocol_from_npms_socket_io_client(
    client: str,
    transports: str,
    server: StartServer,
    server_process: StartProcess,
    tmp_path: Path,
) -> None:
    plain = await server(words_per_second=60, bots=[EchoBot(60), BrokenBot()])
    limited = await server(
        words_per_second=2,
        text_chars=20,
        sessions_per_participant=1,
        members_per_session=2,
        bots_per_session=1,
        replies_per_participant_day=1,
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
            "WEB_PACKAGE": str(web_package()),
            "REPORT": str(report),
            "CLIENT": client,
            "TRANSPORTS": transports,
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
    assert set(used["refused"]) == set(errors.CODES) - NOT_MADE_HERE
