"""`chatserver serve`."""

import asyncio
import gc
import sys

import click

from chatserver.cli.options import database_option, load_settings

YOUNG_OBJECTS = 20_000
"""More containers made than freed start a collection. (Python's own threshold is 700.)"""


@click.command()
@click.option("--host", help="address to listen on; 0.0.0.0 for every one")
@click.option("--port", type=int, help="port to listen on; 0 takes a free one")
@database_option
@click.option("--default-bot", help="who answers in a new session; empty: nobody")
@click.option("--app-name", help="the name that pages show")
@click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    help="auto: text on a terminal, JSON elsewhere",
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
def serve(**given: str | int | None) -> None:
    """Run the server until SIGTERM or SIGINT.

    Prints its URL on stdout once it is ready; logs go to stderr. What is not given here comes from
    the environment (CHATSERVER_HOST, CHATSERVER_PORT…) or from .env.
    """
    settings = load_settings(**given)
    # Late: the other commands start faster without.
    from chatserver.app import serve as run
    from chatserver.cli.problems import explained
    from chatserver.observability.logs import configure_logs

    configure_logs(settings.log_format, settings.log_level)
    spare_the_collector()
    with explained(settings), asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run(settings, _ready))


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where it exists."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def spare_the_collector() -> None:
    """Lets the cyclic garbage collector look less often, and never at what start-up made.

    References alone free nearly everything here; at Python's own threshold the search for cycles
    took 8 % of a busy server, and its pauses grow with the number of connections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def _ready(url: str) -> None:
    click.echo(f"chatserver is ready: {url}")
