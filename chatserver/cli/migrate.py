"""`chatserver migrate`."""

import click

from chatserver.cli.options import database_option, load_settings


@click.command()
@database_option
def migrate(database_url: str | None) -> None:
    """Bring the database to the schema of this version.

    `serve` does the same when it starts; this is for deployments that do it before.
    """
    settings = load_settings(database_url=database_url)
    from chatserver.app import database
    from chatserver.cli.problems import explained

    with explained(settings):
        place = database(settings)
        before = place.migrate()
    click.echo(f"{place.shown} is up to date (it was at: {before or 'nothing'})")
