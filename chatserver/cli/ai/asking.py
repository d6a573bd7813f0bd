"""What is asked on a terminal where the options do not say it."""

import sys

import click

from chatserver.cli.ai.mode import Mode, NotAMode, parse_mode


def chosen_mode(mode: str | None, n: str | None) -> Mode:
    """Of the options; on a terminal it asks for those that were not given.

    Raises `click.UsageError`.
    """
    if mode is not None and n is not None:
        return _checked(mode, n)
    if not sys.stdin.isatty():
        raise click.UsageError("--mode and --n are needed where the input is no terminal")
    if mode is None:
        kinds = click.Choice(["1", "2"])
        answer = click.prompt("When? 1 = seconds, 2 = lines", type=kinds, show_choices=False)
        mode = {"1": "seconds", "2": "lines"}[answer]
    if n is not None:
        return _checked(mode, n)
    chosen = mode
    asked: Mode = click.prompt("n", value_proc=lambda text: _checked(chosen, text.strip()))
    return asked


def _checked(mode: str, n: str) -> Mode:
    try:
        return parse_mode(mode, n)
    except NotAMode as error:
        raise click.UsageError(f"--n: {error}") from None
