"""`chatserver ai` as its users see it: what it asks and prints, and how it ends."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatserver.client import ChatClient
from tests.forked import run_forked
from tests.integration.doors.framed_room import FramedRoom
from tests.processes import environment
from tests.relay import Relay
from tests.servers import RunningServer, StartServer
from tests.terminals import Terminal
from tests.waiting import eventually

CLI = [sys.executable, "-m", "chatserver"]
SECONDS = 40


def run(cwd: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = ["chatserver", "ai", *arguments]
    done = run_forked(command, env=environment(**settings), cwd=cwd, seconds=SECONDS)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "--mode and --n are needed"),
        (["--mode", "lines"], "--mode and --n are needed"),
        (["--mode", "lines", "--n", "1.5"], "no whole number"),
        (["--mode", "seconds", "--n", "0"], "no number of seconds"),
        (["--mode", "hours", "--n", "1"], "--mode"),
        (["--mode", "lines", "--n", "1", "--bot", "hal"], "no bot hal"),
        (["--mode", "seconds", "--n", "1", "--bot", "echo"], "of its own accord"),
        (["--mode", "lines", "--n", "1", "--count", "51"], "--count"),
        (["--mode", "lines", "--n", "1", "--count", "2", "--token", "t"], "--token"),
        (["--mode", "lines", "--n", "1", "--session", "no such!"], "neither"),
        (["--mode", "lines", "--n", "1", "--uri", "http://h/ws/a"], "ws://HOST"),
        (["--mode", "lines", "--n", "1", "--uri", "ws://h/ws/a", "--session", "s"], "--uri"),
        (["--mode", "lines", "--n", "1", "--uri", "ws://h/ws/a", "--name", "b"], "--uri"),
        (["--mode", "lines", "--n", "1", "--ignore", "hal"], "--ignore goes with --uri"),
    ],
)
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


async def test_what_the_server_refuses_is_said_and_exits_with_1(
    tmp_path: Path, server: StartServer
) -> None:
    running = await server()
    lines = ["--url", running.url, "--mode", "lines", "--n", "1"]
    framed = f"ws{running.url.removeprefix('http')}/ws/AI-1?token=sesame"
    for arguments, problem in (
        ([*lines, "--session", "nowhere"], "no such session (not_found)"),
        ([*lines, "--token", "sesame"], "(unauthorized)"),
        ([*lines, "--token", await running.token("Ada")], "the token is Ada's"),
        ([*lines[2:], "--uri", framed], "(HTTP 403)"),
    ):
        done = await asyncio.to_thread(run, tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert problem in done.stderr
        assert "sesame" not in done.stderr


async def test_the_servers_words_cannot_steer_the_terminal(tmp_path: Path) -> None:
    relay = Relay()
    relay.refuse_connect = {"code": "unauthorized", "message": "n\x1b]0;owned\x07o\n* done"}
    await relay.start()
    try:
        arguments = ["--url", relay.url, "--token", "t", "--mode", "lines", "--n", "1"]
        done = await asyncio.to_thread(run, tmp_path, *arguments)
    finally:
        await relay.stop()
    assert done.returncode == 1
    assert done.stderr == "Error: the server says: n]0;ownedo * done (unauthorized)\n"


async def test_a_bot_that_is_named_does_not_count_at_the_framed_door(tmp_path: Path) -> None:
    async with FramedRoom() as room:
        process = await asyncio.create_subprocess_exec(
            *[*CLI, "ai", "--uri", room.uri("AI-1"), "--mode", "lines", "--n", "1"],
            *["--bot", "echo", "--ignore", "hal", "--ignore", "eliza"],
            env=environment(),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(SECONDS):
            await eventually(lambda: room.present, within=SECONDS)
            for name in ("hal", "eliza", "Ada"):
                await room.say(name, f"I am {name}")
            assert await room.heard(1) == [("AI-1", "I am Ada")]
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


def test_a_bot_without_its_key_is_named_with_the_variable(tmp_path: Path) -> None:
    (tmp_path / "bots.toml").write_text(
        '[[bot]]\nname = "llm"\nmodel = "m"\nprompt = "p"\nkey_variable = "LLM_KEY"\n'
    )
    done = run(tmp_path, "--mode", "lines", "--n", "1", "--bot", "llm")
    assert done.returncode == 1
    assert "LLM_KEY is not set" in done.stderr


async def test_bare_on_a_terminal_it_asks_until_the_answers_make_sense(
    tmp_path: Path, server: StartServer
) -> None:
    running = await server()
    command = ["chatserver", "ai", "--url", running.url, "--bot", "echo", "--name", "Eve"]

    def asked(terminal: Terminal) -> str:
        terminal.expect("this one is AI-Eve")
        terminal.expect("1 = seconds, 2 = lines")
        terminal.type("3")
        terminal.expect("1 = seconds, 2 = lines")
        terminal.type("2")
        terminal.expect("n:")
        terminal.type("half")
        terminal.expect("no whole number")
        terminal.expect("n:")
        terminal.type("2")
        terminal.expect("AI-Eve is in ")
        terminal.expect("\n")
        return terminal.shown

    with Terminal(command, environment()) as terminal:
        shown = await asyncio.to_thread(asked, terminal)
        (link,) = re.findall(r"is in (\S+)", shown)
        assert await answered(running, link, "one", "two") == ["two"]
        terminal.send(signal.SIGINT)
        assert await asyncio.to_thread(terminal.ended) == 0


async def answered(running: RunningServer, link: str, *texts: str) -> list[str]:
    """What the AI in a session says to these, once it says something."""
    async with ChatClient(running.url, name="Ada") as ada:
        room = await ada.join(link.rpartition("/")[2], after_seq=0)
        for text in texts:
            await room.send(text)

        async def said() -> list[str]:
            events = (await room.history(limit=50)).events
            messages = [e for e in events if "text" in e.data]
            return [e.data["text"] for e in messages if e.sender.name.startswith("AI-")]

        found: list[str] = await eventually(said, within=20)
        return found


async def test_sigterm_ends_several_in_order(tmp_path: Path, server: StartServer) -> None:
    running = await server()
    arguments = ["--url", running.url, "--mode", "seconds", "--n", "0.2", "--count", "2"]
    process = await asyncio.create_subprocess_exec(
        *[*CLI, "ai", *arguments, "--bot", "corpus"],
        env=environment(),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        first, second = [(await process.stdout.readline()).decode().split() for _ in range(2)]
        assert first[0] != second[0]
        assert first[3] == second[3]
        assert await answered(running, first[3])
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")
