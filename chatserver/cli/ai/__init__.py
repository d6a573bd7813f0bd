"""`chatserver ai`: a participant that speaks of its own accord, or answers, through any bot."""

import click

from chatserver.chat.models import Visibility
from chatserver.cli.ai.asking import chosen_mode
from chatserver.cli.ai.framed_uri import FramedUri, NotAUri
from chatserver.cli.ai.names import ai_name, ai_names
from chatserver.cli.talk.own_token import VARIABLE, token_for
from chatserver.cli.talk.place import NotAPlace, Place

MOST = 50
"""AIs in one process."""
UNNAMED = "AI"
"""How messages call the participant of a token before its name is known."""


@click.command()
@click.option(
    "--uri", metavar="ws://HOST/ws/NAME", help="the framed door of a server, instead of --url"
)
@click.option(
    "--url",
    envvar="CHATSERVER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="the server",
)
@click.option("--session", metavar="SESSION", help="the id of a session, or the link to it")
@click.option("--invite", help="the invite code of a private session")
@click.option(
    "--visibility",
    type=click.Choice([Visibility.LINK.value, Visibility.PUBLIC.value]),
    default=Visibility.LINK.value,
    show_default=True,
    help="who may join a new session: whoever has the link, or anyone",
)
@click.option("--mode", type=click.Choice(["seconds", "lines"]), help="when it speaks")
@click.option("--n", help="every so many seconds, or after so many lines of others")
@click.option("--bot", help="the bot that it speaks through; the default one where not given")
@click.option("--name", help="its name; AI-… where not given, and in front of any other")
@click.option("--token", envvar=VARIABLE, help="a token of its own instead of a name")
@click.option(
    "--ignore",
    multiple=True,
    metavar="NAME",
    help="with --uri: somebody else who is a bot and no person; may be repeated",
)
@click.option(
    "--count", type=click.IntRange(1, MOST), default=1, show_default=True, help="so many at once"
)
def ai(
    uri: str | None,
    url: str,
    session: str | None,
    invite: str | None,
    visibility: str,
    mode: str | None,
    n: str | None,
    bot: str | None,
    name: str | None,
    token: str | None,
    ignore: tuple[str, ...],
    count: int,
) -> None:
    """Take part in a chat without being asked, until SIGTERM or SIGINT.

    With --mode seconds it says something new every N seconds, with --mode lines it answers after
    every N messages of others. Notices and other AIs neither count nor are answered; whose name
    begins with AI- is one. On a terminal it asks for what is not given.

    Without --session or --uri it makes a session, and prints the link to it.
    """
    try:
        where: Place | FramedUri = (
            Place.parse(session, url, invite) if uri is None else FramedUri.parse(uri)
        )
    except (NotAPlace, NotAUri) as error:
        raise click.UsageError(str(error)) from None
    if isinstance(where, FramedUri):
        if session or invite:
            raise click.UsageError("--session and --invite do not go with --uri")
        if where.name and name:
            raise click.UsageError("the name is in --uri; leave --name out")
        name = where.name or name
        if not where.has_token:
            where = where.with_token(token_for(where.base, url, token, name))
    elif ignore:
        raise click.UsageError("--ignore goes with --uri; elsewhere bots are known to be bots")
    else:
        token = token_for(where.url, url, token, name)
        if token and count > 1:
            raise click.UsageError("a token is one participant's; leave --count or --token out")
    names = ai_names(name, count) if isinstance(where, FramedUri) or not token else [UNNAMED]
    if name and ai_name(name) != name:
        click.echo(f"AIs know each other by their names: this one is {ai_name(name)}", err=True)
    chosen = chosen_mode(mode, n)
    # Late: the other commands start faster without.
    from chatserver.cli.ai.run import run

    run(names, where, chosen, bot, token, Visibility(visibility), frozenset(ignore))
