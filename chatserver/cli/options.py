"""Options that several commands share, and the settings they override."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from pydantic import AliasChoices, ValidationError

from chatserver.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def database_option(command: F) -> F:
    return click.option(
        "--database",
        "database_url",
        metavar="URL",
        help="where everything is stored, such as sqlite:///chat.db or postgresql://USER@HOST/NAME",
    )(command)


def replies_option(command: F) -> F:
    return click.option(
        "--replies",
        "replies_concurrency",
        type=int,
        metavar="N",
        help="replies that run here at the same time; 0: none, workers run them",
    )(command)


def log_options(command: F) -> F:
    shape = click.option(
        "--log-format",
        type=click.Choice(["auto", "text", "json"]),
        help="auto: text on a terminal, JSON elsewhere",
    )
    level = click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
    return shape(level(command))


def load_settings(**given: Any) -> Settings:
    """The settings of the environment and `.env`; options that were given come first.

    Raises `click.ClickException`, with the variable's name, where one is not valid.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as refused:
        problems = [
            f"{variable(str(error['loc'][0]))}: {error['msg']} (it is {error['input']!r})"
            for error in refused.errors(include_url=False, include_context=False)
        ]
        raise click.ClickException(
            "\n".join(["these settings are not valid:", *problems])
        ) from None


def variable(field: str) -> str:
    """The environment variable of a setting, by its field or by the alias that was found."""
    for name, info in Settings.model_fields.items():
        aliases = info.validation_alias
        names = list(aliases.choices) if isinstance(aliases, AliasChoices) else []
        if field == name or field in names:
            return field if field.isupper() else f"CHATSERVER_{name.upper()}"
    return field
