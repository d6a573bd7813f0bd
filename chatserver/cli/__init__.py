"""The command line: parses, calls, and turns errors into a sentence and an exit code.

Exit codes: 0 done, 1 it could not be done (the message says why and what helps), 2 wrong usage.
"""

import click

from chatserver import __version__
from chatserver.cli.ai import ai
from chatserver.cli.bench import bench
from chatserver.cli.bots import bots
from chatserver.cli.copy import copy
from chatserver.cli.migrate import migrate
from chatserver.cli.serve import serve
from chatserver.cli.session_files import export_session, import_session
from chatserver.cli.talk import talk
from chatserver.cli.token import token
from chatserver.cli.worker import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chatserver")
def main() -> None:
    """Real-time chat with bots.

    Every setting can be given as an environment variable CHATSERVER_… or in a file .env; options
    come first.
    """


main.add_command(serve)
main.add_command(worker)
main.add_command(migrate)
main.add_command(copy)
main.add_command(export_session)
main.add_command(import_session)
main.add_command(token)
main.add_command(talk)
main.add_command(ai)
main.add_command(bots)
main.add_command(bench)

__all__ = ["main"]
