"""`chatserver bots` as its users see it, and a server that its bots file keeps from starting."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.forked import run_forked
from tests.processes import environment
from tests.terminals import Terminal

SECONDS = 40
BOTS = """\
[[bot]]
name = "llama"
base_url = "http://user:sesame@127.0.0.1:11434/v1"
model = "llama3.2"
key_variable = ""
prompt = "p"

[[bot]]
name = "with"
model = "m"
prompt = "p"
key_variable = "WITH_KEY"

[[bot]]
name = "without"
model = "[m]"
prompt = "p"
key_variable = "WITHOUT_KEY"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an operator has a bots file, and a key in `.env`."""
    (tmp_path / "bots.toml").write_text(BOTS)
    (tmp_path / ".env").write_text("WITH_KEY=sesame\n")
    return tmp_path


def run(*arguments: str, cwd: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = ["chatserver", *arguments]
    done = run_forked(command, env=environment(**settings), cwd=cwd, seconds=SECONDS)
    assert "sesame" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_bot_is_a_line_of_json(folder: Path) -> None:
    done = run("bots", cwd=folder)
    assert done.returncode == 0, done.stderr
    listed = {row.pop("name"): row for row in rows(done)}
    assert list(listed) == ["corpus", "echo", "llama", "with", "without"]
    assert listed["llama"] == {
        "adapter": "openai", "model": "llama3.2", "host": "127.0.0.1:11434",
        "key": "none needed", "key_variable": None, "default": False,
    }  # fmt: skip
    assert listed["with"]["host"] == "api.openai.com"
    keys = {name: (row["key"], row["key_variable"]) for name, row in listed.items()}
    assert keys["echo"] == ("none needed", None)
    assert keys["with"] == ("set", "WITH_KEY")
    assert keys["without"] == ("missing", "WITHOUT_KEY")
    assert [name for name, row in listed.items() if row["default"]] == ["corpus"]


def test_the_default_is_marked_where_the_environment_declares_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sesame\n")
    for settings, default in ({}, "gpt"), ({"default_bot": "echo"}, "echo"):
        listed = rows(run("bots", cwd=tmp_path, **settings))
        assert [row["name"] for row in listed if row["default"]] == [default]


def test_on_a_terminal_the_bots_are_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with Terminal(["chatserver", "bots"], environment()) as terminal:
        terminal.expect("127.0.0.1:11434")
        terminal.expect("[m]")
        terminal.expect("missing (WITHOUT_KEY)")
        assert terminal.ended() == 0
        assert "sesame" not in terminal.shown
    with Terminal(["chatserver", "bots", "check", "without"], environment()) as terminal:
        terminal.expect("WITHOUT_KEY is not set")
        assert terminal.ended() == 1


def test_a_check_that_fails_says_why_and_exits_with_1(folder: Path) -> None:
    done = run("bots", "check", "without", cwd=folder)
    assert done.returncode == 1
    (row,) = rows(done)
    assert (row["name"], row["ok"], row["code"]) == ("without", False, "bot_not_configured")
    assert row["message"] == "WITHOUT_KEY is not set"
    assert row["ms"] >= 0


def test_only_bots_that_a_model_speaks_for_are_checked(folder: Path, tmp_path: Path) -> None:
    for name in ("echo", "hal"):
        wrong = run("bots", "check", name, cwd=folder)
        assert wrong.returncode == 2
        assert name in wrong.stderr
    (folder / "bots.toml").write_text("")
    nobody = run("bots", "check", cwd=folder)
    assert (nobody.returncode, nobody.stdout) == (0, "")
    assert "no bot that a model speaks for" in nobody.stderr


def test_a_bad_bots_file_keeps_every_command_from_its_work_and_is_explained(
    folder: Path,
) -> None:
    (folder / "bots.toml").write_text(BOTS.replace('model = "m"', "modell = 'm'"))
    for command in (["serve", "--port", "0"], ["bots"], ["bots", "check"]):
        failed = run(*command, cwd=folder, log_level="error")
        assert failed.returncode == 1, failed
        assert "CHATSERVER_BOTS_FILE: bots.toml, line 10: modell: is no key" in failed.stderr


def test_a_bots_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for file in ("nowhere.toml", "."):
        failed = run("serve", "--port", "0", cwd=tmp_path, bots_file=file, log_level="error")
        assert failed.returncode == 1
        assert f"CHATSERVER_BOTS_FILE: cannot read {file}" in failed.stderr
