"""Where the token of the environment may go."""

import sys

import pytest
from click.testing import CliRunner, Result

from chatserver.cli import main
from chatserver.cli.talk.own_token import VARIABLE, same

LOCAL, ELSEWHERE = "http://127.0.0.1:9", "http://localhost:9"
MODE = ("--mode", "lines", "--n", "1", "--bot", "echo")
FRAMED = "ws://localhost:9/ws"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("https://chat.example", "https://CHAT.example:443/at", True),
        ("wss://chat.example/ws", "https://chat.example", True),
        ("http://chat.example", "https://chat.example", False),
        ("https://chat.example:8443", "https://chat.example", False),
        ("https://chat.example@evil.example", "https://chat.example", False),
        ("http://[x", "http://[x", False),
    ],
)
def test_servers_are_told_by_their_origins(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={VARIABLE: "sesame"}, input="hello\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("talk", f"{ELSEWHERE}/#/s/abc", "--url", LOCAL),
        ("ai", "--session", f"{ELSEWHERE}/#/s/abc", "--url", LOCAL, *MODE),
        ("ai", "--uri", FRAMED, "--url", LOCAL, *MODE),
        ("ai", "--uri", "wss://127.0.0.1:9/ws?session=abc", "--url", LOCAL, *MODE),
    ],
)
def test_the_environments_token_is_kept_from_other_servers(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert f"is for {LOCAL} and is not sent to " in done.stderr
    assert "sesame" not in done.output


def sent(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[str | None, str]:
    """The token that would be used, and what was told; nothing is connected."""
    used: list[str | None] = []

    async def talk(place: object, *, token: str | None, **_: object) -> None:
        used.append(token)

    # By this path there is the command, which has the module's name.
    monkeypatch.setattr(sys.modules["chatserver.cli.talk"], "talk_through_pipe", talk)
    done = run("talk", *arguments, "--url", LOCAL)
    assert done.exit_code == 0, done.output
    (token,) = used
    return token, done.stderr


def test_it_goes_to_the_server_that_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent(monkeypatch, f"{LOCAL}/#/s/abc") == ("sesame", "")
    assert sent(monkeypatch, "abc") == ("sesame", "")


def test_elsewhere_one_goes_by_name_or_with_the_token_that_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = f"{ELSEWHERE}/#/s/abc"
    assert sent(monkeypatch, there, "--token", "typed") == ("typed", "")
    token, told = sent(monkeypatch, there, "--name", "Ada")
    assert token is None
    assert f"not sent to {ELSEWHERE}: you come as a guest" in told
