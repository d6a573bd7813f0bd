"""The command line as its users see it: output, exit codes, a pipe, a terminal."""

import asyncio
import re
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatserver import __version__
from chatserver.client import ChatClient
from tests.forked import run_forked
from tests.processes import ServerProcess, StartProcess, environment
from tests.terminals import Terminal

SECONDS = 40


def run(
    *arguments: str, given: str = "", cwd: Path | None = None, **settings: Any
) -> subprocess.CompletedProcess[str]:
    command = ["chatserver", *arguments]
    return run_forked(command, env=environment(**settings), cwd=cwd, given=given, seconds=SECONDS)


def test_version_and_help() -> None:
    assert __version__ in run("--version").stdout
    helped = run("--help").stdout
    for command in (
        *("serve", "worker", "migrate", "token", "talk", "ai", "bots", "bench"),
        *("copy", "export", "import"),
    ):
        assert command in helped
        assert run(command, "--help").returncode == 0


def test_wrong_usage_exits_with_2() -> None:
    assert run("brew").returncode == 2
    assert run("serve", "--port", "many").returncode == 2
    assert run("token").returncode == 2
    assert run("talk", "not a session!").returncode == 2


def test_a_wrong_setting_is_named_with_its_variable() -> None:
    failed = run("serve", port=99999)
    assert failed.returncode == 1
    assert "CHATSERVER_PORT" in failed.stderr
    assert "99999" in failed.stderr
    assert "Traceback" not in failed.stderr
    unknown = run("serve", "--port", "0", default_bot="hal")
    assert unknown.returncode == 1
    assert "CHATSERVER_DEFAULT_BOT" in unknown.stderr
    unspoken = run("serve", "--port", "0", summary_bot="corpus")
    assert unspoken.returncode == 1
    assert "CHATSERVER_SUMMARY_BOT" in unspoken.stderr
    assert "Traceback" not in unspoken.stderr


def failure_of(*arguments: str, cwd: Path, **settings: Any) -> str:
    """What `serve` says as it fails."""
    failed = run("serve", *arguments, cwd=cwd, log_level="error", **settings)
    assert failed.returncode == 1, failed
    assert "Traceback" not in failed.stderr, failed.stderr
    return failed.stderr


def test_a_busy_port_is_named_with_what_helps(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failure_of("--port", str(port), "--host", "127.0.0.1", cwd=tmp_path)
    assert "CHATSERVER_PORT" in said
    assert f"127.0.0.1:{port}" in said
    assert "another port" in said


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    assert "CHATSERVER_HOST" in failure_of("--host", "192.0.2.1", "--port", "0", cwd=tmp_path)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://localhost/chat", "sqlite:///no/such/folder/chat.db", "sqlite:///folder"],
)
def test_a_database_that_cannot_be_used_is_named(tmp_path: Path, url: str) -> None:
    (tmp_path / "folder").mkdir()
    said = failure_of("--port", "0", "--database", url, cwd=tmp_path)
    assert "CHATSERVER_DATABASE_URL (--database)" in said


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("shopping list " * 500)
    said = failure_of("--port", "0", "--database", f"sqlite:///{file}", cwd=tmp_path)
    assert "CHATSERVER_DATABASE_URL" in said
    assert file.read_text() == "shopping list " * 500


def test_a_schema_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "chat.db"
    assert run("migrate", "--database", f"sqlite:///{file}").returncode == 0
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_future'")
    database.close()
    for said in (
        failure_of("--port", "0", "--database", f"sqlite:///{file}", cwd=tmp_path),
        run("migrate", "--database", f"sqlite:///{file}").stderr,
        run("token", "--name", "x", "--database", f"sqlite:///{file}").stderr,
    ):
        assert "9999_future" in said
        assert "later version" in said


def test_a_second_server_on_one_file_is_refused(
    tmp_path: Path, server_process: StartProcess
) -> None:
    first = server_process()
    url = f"sqlite:///{first.database}"
    said = failure_of("--port", "0", "--database", url, cwd=tmp_path)
    assert "another server works on" in said
    assert first.terminate() == 0
    assert server_process(database=first.database).url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_its_url_and_ends_with_0_on_a_signal(
    server_process: StartProcess, number: signal.Signals
) -> None:
    server = server_process(log_level="info")
    assert re.search(r"^chatserver is ready: http://127\.0\.0\.1:\d+$", server.output(), re.M)
    server.send(number)
    assert server.wait() == 0


def test_options_come_before_the_environment_and_that_before_a_file(
    tmp_path: Path, server_process: StartProcess
) -> None:
    (tmp_path / ".env").write_text("CHATSERVER_PORT=99999\n")
    assert "99999" in run("migrate", cwd=tmp_path).stderr
    assert run("migrate", cwd=tmp_path, port=1).returncode == 0
    other = f"sqlite:///{tmp_path}/other.db"
    done = run("migrate", "--database", other, cwd=tmp_path, port=1, database_url="nonsense")
    assert done.returncode == 0
    assert (tmp_path / "other.db").exists()


def test_migrate_says_what_it_did_and_may_be_repeated(tmp_path: Path) -> None:
    first, second = (run("migrate", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "nothing" in first.stdout
    assert "nothing" not in second.stdout


def token(server: ServerProcess, name: str, *more: str) -> str:
    made = run("token", "--name", name, "--database", f"sqlite:///{server.database}", *more)
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.split()) == 1, "only the token, for scripts"
    return made.stdout.strip()


async def test_a_token_works_on_a_running_server(server_process: StartProcess) -> None:
    server = await asyncio.to_thread(server_process)
    made = await asyncio.to_thread(
        token, server, "Grace", "--kind", "operator", "--lifetime", "12h"
    )
    async with ChatClient(server.url, token=made) as client:
        assert client.participant.name == "Grace"
        assert client.participant.kind == "operator"
    assert made.encode() not in server.database.read_bytes()


def test_a_token_needs_a_proper_name_and_time(tmp_path: Path) -> None:
    for arguments in (
        ["--name", " "],
        ["--name", "x" * 61],
        ["--name", "x", "--lifetime", "soon"],
        ["--name", "x", "--lifetime", "0"],
        ["--name", "x", "--kind", "bot"],
    ):
        assert run("token", *arguments, cwd=tmp_path).returncode == 2, arguments


def test_talk_through_a_pipe_prints_the_replies_and_ends_with_0(
    server_process: StartProcess,
) -> None:
    url = server_process().url
    talked = run("talk", "--url", url, given="first line\n\n second ☕\nlast without newline")
    assert talked.stdout == "first line\n second ☕\nlast without newline\n"
    assert talked.returncode == 0, talked.stderr


def test_talk_through_a_pipe_prints_what_a_mentioned_bot_says(
    server_process: StartProcess,
) -> None:
    url = server_process().url
    talked = run("talk", "--url", url, given="@echo, are you there?\n")
    assert (talked.stdout, talked.returncode) == ("@echo, are you there?\n", 0)


def test_talk_through_a_pipe_where_nobody_answers(server_process: StartProcess) -> None:
    url = server_process().url
    talked = run("talk", "--url", url, "--bot", "", given="anybody?\n")
    assert (talked.stdout, talked.returncode) == ("", 0)


def test_talk_through_a_pipe_says_what_is_wrong() -> None:
    away = run("talk", "--url", "http://127.0.0.1:9", "--token", "x", given="hello\n")
    assert away.returncode == 1
    assert "http://127.0.0.1:9" in away.stderr
    assert "Traceback" not in away.stderr


def test_talk_with_a_wrong_token_or_session_is_refused(server_process: StartProcess) -> None:
    server = server_process()
    refused = run("talk", "--url", server.url, "--token", "nobody's", given="x\n")
    assert refused.returncode == 1
    assert "unauthorized" in refused.stderr
    nowhere = run("talk", "nowhere", "--url", server.url, given="x\n")
    assert nowhere.returncode == 1
    assert "not_found" in nowhere.stderr


def terminal(url: str, *arguments: str) -> Terminal:
    return Terminal(["chatserver", "talk", "--url", url, *arguments], environment())


def test_talk_on_a_terminal(server_process: StartProcess) -> None:
    url = server_process(words_per_second=10).url
    with terminal(url) as ada:
        ada.expect("Your name:")
        ada.type("Ada")
        ada.expect("no sessions yet")
        ada.expect("Ada>")
        text = "one two three four five six seven eight nine ten"
        ada.type(text)
        ada.expect(f"Ada: {text}")
        growing = ada.expect("seven")
        assert "ten" not in growing
        ada.expect(f"echo: {text}\r")
        ada.type("/help")
        ada.expect("/history")
        ada.type("/rooms")
        ada.expect("Untitled")
        ada.type("/invite")
        ada.expect("until 20")
        link = url + ada.expect("\r").partition(url)[2].strip()
        assert "?invite=" in link
        with terminal(url, link, "--name", "Bob") as bob:
            bob.expect("Ada: one two")
            ada.expect("Bob joined")
            bob.type("hello\u0020Ada")
            ada.expect("Bob: hello Ada")
            bob.type("/leave")
            ada.expect("Bob left")
            bob.type("/quit")
            assert bob.ended() == 0
        ada.type("/quit")
        assert ada.ended() == 0


def test_stopping_and_retrying_on_a_terminal(server_process: StartProcess) -> None:
    url = server_process(words_per_second=10).url
    with terminal(url, "--name", "Ada", "--title", "Tea") as ada:
        ada.expect("Tea")
        ada.expect("Ada>")
        text = " ".join(f"w{n}" for n in range(20))
        ada.type(text)
        ada.expect(f"Ada: {text}")
        ada.expect("w7")
        ada.type("/stop")
        ada.expect("(stopped)")
        ada.type("/retry")
        ada.expect(f"echo: {text} (in place of")
        ada.type("/nonsense")
        ada.expect("there is no /nonsense")
        ada.type("//slash")
        ada.expect("Ada: /slash")
        ada.expect("Ada>")  # Only where it is asked is the key one for the program.
        ada.press(b"\x04")
        assert ada.ended() == 0


def test_a_terminal_reconnects_by_itself_and_says_so(server_process: StartProcess) -> None:
    server = server_process()
    with terminal(server.url, "--name", "Ada", "--title", "Tea") as ada:
        ada.expect("Ada>")
        ada.type("before")
        ada.expect("echo: before")
        server.kill()
        ada.expect("connection lost")
        ada.type("sent while away")
        server.start()
        ada.expect("connected again")
        ada.expect("Ada: sent while away")
        ada.expect("echo: sent while away")
        ada.type("/quit")
        assert ada.ended() == 0


def test_what_others_write_cannot_steer_the_terminal(server_process: StartProcess) -> None:
    url = server_process().url
    with terminal(url, "--name", "Ada", "--title", "Tea", "--bot", "") as ada:
        ada.expect("Ada>")
        ada.type("/invite")
        ada.expect("until 20")
        link = url + ada.expect("\r").partition(url)[2].strip()
        evil = "ev\x1b]0;owned\x07il\x1b[2J\x9b2J"
        assert run("talk", link, "--name", "Eve", given=evil + "\n").returncode == 0
        ada.expect("Eve: ev]0;ownedil[2J2J")
        ada.type("/quit")
        assert ada.ended() == 0
