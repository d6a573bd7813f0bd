"""Empty SQLite databases of the newest schema: most of a start went into migrating each anew."""

import tempfile
from functools import cache
from pathlib import Path

from chatserver.store.migrate import migrate


def lay(database: Path) -> None:
    """Unless there is one. That each step of the schema leads to the next has tests of its own."""
    if not database.exists():
        database.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        assert [each.name for each in Path(folder).iterdir()] == [file.name]
        return file.read_bytes()
