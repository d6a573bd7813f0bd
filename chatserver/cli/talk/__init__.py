"""`chatserver talk`: a chat in the terminal, in a pipe, or in JSON for programs."""

import asyncio
import sys

import click

from chatserver.chat.errors import ChatError
from chatserver.cli.talk import view
from chatserver.cli.talk.own_token import VARIABLE, token_for
from chatserver.cli.talk.pipe import talk_through_pipe
from chatserver.cli.talk.place import NotAPlace, Place
from chatserver.client import ClientError


@click.command()
@click.argument("place", required=False, metavar="[SESSION]")
@click.option(
    "--url",
    envvar="CHATSERVER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="the server",
)
@click.option("--name", help="who you are; asked for where needed")
@click.option("--token", envvar=VARIABLE, help="a token of yours instead of a name")
@click.option("--invite", help="the invite code of a private session")
@click.option("--title", default="", help="the title of a new session")
@click.option("--bot", help="the bot of a new session; the server's default where not given")
@click.option("--json", "in_json", is_flag=True, help="one JSON object to a line, in and out")
@click.option("--follow", is_flag=True, help="with --json: go on when the input has ended")
def talk(
    place: str | None,
    url: str,
    name: str | None,
    token: str | None,
    invite: str | None,
    title: str,
    bot: str | None,
    in_json: bool,
    follow: bool,
) -> None:
    """Chat in the terminal.

    SESSION is the id of a session or the link to it. Without it you choose one, or make a new one.

    When the input is no terminal, every line of it is sent as a message; the replies are printed
    as plain text. With --json, lines in and out are as docs/talk.md says.

    Exit codes: 0 done, 1 something was refused or failed, 2 wrong usage, 130 interrupted.
    """
    if follow and not in_json:
        raise click.UsageError("--follow goes with --json")
    try:
        where = Place.parse(place, url, invite)
    except NotAPlace as error:
        raise click.UsageError(view.line(str(error))) from None
    token = token_for(where.url, url, token, name)
    try:
        if in_json:
            from chatserver.cli.talk.json_lines import talk_in_json

            asyncio.run(
                talk_in_json(where, name=name, token=token, title=title, bot=bot, follow=follow)
            )
        elif sys.stdin.isatty() and sys.stdout.isatty():
            # Late: a pipe needs no terminal library, and starts faster without.
            from chatserver.cli.talk.terminal import talk_on_terminal

            asyncio.run(talk_on_terminal(where, name=name, token=token, title=title, bot=bot))
        else:
            asyncio.run(talk_through_pipe(where, name=name, token=token, title=title, bot=bot))
    except ChatError as error:
        raise click.ClickException(
            view.line(f"the server says: {error.message} ({error.code})")
        ) from error
    except ClientError as error:
        raise click.ClickException(view.line(str(error))) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
