"""Places to copy from and to."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.moving.house import fill
from tests.postgres import PostgresServer

Place = Callable[[str], str]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The URL of a database without a table: `place("sqlite")` or `place("postgres")`."""
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            made.append(f"sqlite:///{tmp_path / f'place-{len(made)}.db'}")
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            made.append(asyncio.run(server.empty()))
        return made[-1]

    return make


@pytest.fixture
def house(tmp_path: Path) -> str:
    """The URL of a SQLite file with rows in every table."""
    fill(tmp_path / "house.db")
    return f"sqlite:///{tmp_path / 'house.db'}"
