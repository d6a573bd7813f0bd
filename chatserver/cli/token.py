"""`chatserver token`."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import click

from chatserver.chat.models import ParticipantKind, Token
from chatserver.cli.options import database_option, load_settings
from chatserver.settings import Settings

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Lifetime(click.ParamType[timedelta]):
    """Seconds, or a number with s, m, h or d."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        text = str(value).strip().lower()
        number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
        if not number.isascii() or not number.isdigit() or not 0 < int(number) < 10**9:
            self.fail(f"{value!r} is no time such as 90, 30m, 12h or 365d", param, ctx)
        return timedelta(seconds=int(number) * UNITS[unit])


@click.command()
@click.option("--name", required=True, help="the name that others see")
@click.option(
    "--kind",
    type=click.Choice([ParticipantKind.USER, ParticipantKind.OPERATOR], case_sensitive=False),
    default=ParticipantKind.USER,
    show_default=True,
    help="an operator may join every session and switch its bot on and off",
)
@click.option(
    "--lifetime", type=Lifetime(), help="such as 90 (seconds), 30m, 12h, 365d; a setting by default"
)
@database_option
def token(
    name: str, kind: ParticipantKind, lifetime: timedelta | None, database_url: str | None
) -> None:
    """Make a token for a new participant and print it.

    Works on the database, whether or not a server is running on it. The token is shown this once;
    only its hash is stored.
    """
    settings = load_settings(database_url=database_url)
    from chatserver.cli.problems import explained

    checked = _checked(name)
    with explained(settings):
        (issued,) = asyncio.run(issue(settings, [checked], kind, lifetime))
    click.echo(issued.token)
    until = issued.expires_at.astimezone()
    click.echo(
        f"for {issued.participant.kind} {issued.participant.name}, until {until:%Y-%m-%d %H:%M}",
        err=True,
    )


def _checked(name: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from chatserver.chat.commands import Name

    try:
        return str(TypeAdapter[str](Name).validate_python(name))
    except ValidationError as refused:
        problem = refused.errors(include_url=False, include_context=False)[0]["msg"]
        raise click.BadParameter(problem, param_hint="--name") from None


async def issue(
    settings: Settings,
    names: Sequence[str],
    kind: ParticipantKind = ParticipantKind.USER,
    lifetime: timedelta | None = None,
) -> list[Token]:
    """A new participant with a token for each name. Raises like `service_beside`."""
    from chatserver.compose.service import service_beside

    async with service_beside(settings) as service:
        return [await service.issue_token(name, kind, lifetime) for name in names]
