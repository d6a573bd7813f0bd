"""Bringing a database to the schema this code needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool


class SchemaTooNew(Exception):
    """The database was migrated by a later version of this program."""


def migrate(url: str) -> str | None:
    """Upgrades to the newest schema. Returns the revision there was before; None: it was empty.

    Raises `SchemaTooNew`, having changed nothing, where the database knows a revision that this
    code does not; SQLAlchemy's errors where the database cannot be opened.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        config = alembic_config(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if before is not None and before not in known:
            raise SchemaTooNew(before)
        command.upgrade(config, "head")
        connection.commit()
    return before


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
