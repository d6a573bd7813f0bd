"""`talk` in pipes: what it prints besides replies."""

import asyncio

from chatserver.chat.ports import BotError
from chatserver.testing import ScriptedBot
from tests.integration.talk.commands import piped
from tests.servers import StartServer


async def test_why_there_is_no_reply_cannot_steer_the_terminal(server: StartServer) -> None:
    bot = ScriptedBot("scripted")
    bot.fail(BotError("model_unavailable", "aw\x1b]0;owned\x07ay\n* done", retryable=False))
    running = await server(bots=[bot], default_bot="scripted")
    done = await asyncio.to_thread(piped, running.url, "--name", "Ada", given="hello\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no reply: aw]0;owneday * done\n"
