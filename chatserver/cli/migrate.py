"""`chatserver migrate`."""

import click

from chatserver.cli.options import database_option, load_settings


@click.command()
@database_option
def migrate(database_url: str | None) -> None:
    """Bring the database to the schema of this version.

    `serve` and `worker` do the same when they start; this is for deployments that do it before.
    """
    settings = load_settings(database_url=database_url)
    from chatserver.cli.problems import explained
    from chatserver.compose.database import database

    with explained(settings):
        place = database(settings)
        before = place.migrate()
    click.echo(f"{place.shown} is up to date (it was at: {before or 'nothing'})")
