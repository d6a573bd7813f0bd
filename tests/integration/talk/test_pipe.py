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


async def test_a_line_of_any_blanks_is_no_message(server: StartServer) -> None:
    running = await server()
    done = await asyncio.to_thread(piped, running.url, given="one\n\u00a0\n \t\u3000\n\ntwo\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ntwo\n", "")


async def test_lines_that_cannot_be_said_are_named_and_the_others_are_said(
    server: StartServer,
) -> None:
    running = await server(text_chars=20)
    lines = ["one", "x" * 21, "nu\x00ll", "\udcff", "y" * 70_000, "z" * 1_200_000, "two"]
    done = await asyncio.to_thread(piped, running.url, given="".join(f"{x}\n" for x in lines))
    assert (done.returncode, done.stdout) == (1, "one\ntwo\n")
    assert done.stderr.splitlines() == [
        "line 2 was not sent: a message may have at most 20 characters",
        "line 3 was not sent: text: Value error, may not contain the NUL character",
        "line 4 was not sent: the line is not UTF-8",
        "line 5 was not sent: send_message takes 70164 bytes; the server takes 65536",
        "line 6 was not sent: the line is longer than 1048576 bytes",
    ]
