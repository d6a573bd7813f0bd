"""`chatserver serve`."""

import click

from chatserver.cli.options import database_option, load_settings, log_options, replies_option


@click.command()
@click.option("--host", help="address to listen on; 0.0.0.0 for every one")
@click.option("--port", type=int, help="port to listen on; 0 takes a free one")
@database_option
@replies_option
@click.option("--default-bot", help="who answers in a new session; empty: nobody")
@click.option("--app-name", help="the name that pages show")
@log_options
def serve(**given: str | int | None) -> None:
    """Run the server until SIGTERM or SIGINT.

    Prints its URL on stdout once it is ready; logs go to stderr. What is not given here comes from
    the environment (CHATSERVER_HOST, CHATSERVER_PORT…) or from .env.
    """
    settings = load_settings(**given)
    # Late: the other commands start faster without.
    from chatserver.app import serve as serving
    from chatserver.cli.long import run_long
    from chatserver.cli.problems import explained
    from chatserver.observability.logs import configure_logs

    configure_logs(settings.log_format, settings.log_level)
    with explained(settings):
        run_long(serving(settings, _ready))


def _ready(url: str) -> None:
    click.echo(f"chatserver is ready: {url}")
