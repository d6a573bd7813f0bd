"""`chatserver worker`."""

import click

from chatserver.cli.options import database_option, load_settings, log_options, replies_option


@click.command()
@database_option
@replies_option
@click.option(
    "--port",
    "worker_port",
    type=int,
    help="port for health checks and metrics; none where it is not given; 0 takes a free one",
)
@click.option("--host", help="address of that port; 0.0.0.0 for every one")
@log_options
def worker(**given: str | int | None) -> None:
    """Run replies alone until SIGTERM or SIGINT; unfinished ones then go to others at once.

    For servers on the same PostgreSQL and Redis that leave replies to workers (serve --replies 0),
    or need help with them. Start as many as you like. Says on stdout when it is ready; logs go to
    stderr.
    """
    settings = load_settings(**given)
    # Late: the other commands start faster without.
    from chatserver.cli.long import run_long
    from chatserver.cli.problems import WORKER_PORT, explained
    from chatserver.observability.logs import configure_logs
    from chatserver.worker import work

    configure_logs(settings.log_format, settings.log_level)
    with explained(settings, (WORKER_PORT, settings.worker_port)):
        run_long(work(settings, _ready))


def _ready(url: str) -> None:
    click.echo(f"chatserver worker is ready{f': {url}' if url else ''}")
