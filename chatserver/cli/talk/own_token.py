"""Whether the token of the environment may go to a server."""

from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from chatserver.cli.talk import view

VARIABLE = "CHATSERVER_TOKEN"
PORTS = {"http": 80, "https": 443}


def token_for(server: str, url: str, token: str | None, name: str | None) -> str | None:
    """The token of one's own, in a command with `--token`, `--url` and `--name`.

    Where it comes from the environment, it is for the server at `url`: a link that somebody sends
    names any server, which would get the token, and with it whatever its owner may do. With a name
    one goes there without; raises `click.UsageError` where there is none.
    """
    source = click.get_current_context().get_parameter_source("token")
    if not token or source is not ParameterSource.ENVIRONMENT or same(server, url):
        return token or None
    kept = f"{VARIABLE} is for {_shown(url)} and is not sent to {_shown(server)}"
    if not name:
        raise click.UsageError(f"{kept}: say who you are there by --token or --name")
    click.echo(f"{kept}: you come as a guest", err=True)
    return None


def same(server: str, url: str) -> bool:
    """Whether both have one origin; WebSocket and HTTP addresses of a server do."""
    try:
        return _origin(server) == _origin(url)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return scheme, parts.hostname, parts.port or PORTS.get(scheme)


def _shown(url: str) -> str:
    """Its origin alone: the rest may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "another address"
    return view.line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
