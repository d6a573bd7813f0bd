"""The stores that have to keep the same promises. A new backend is one more entry of `BACKENDS`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.chat.limits import Limits
from chatserver.store.open import Database, OpenableStore, database_at
from tests.postgres import PostgresServer
from tests.schema import lay

LIMITS = Limits(queued_replies_per_session=3)


BACKENDS = ("postgres", "sqlite")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Database]:
    """One with the newest schema, and without a row."""
    if backend == "sqlite":
        file = tmp_path / "contract.db"
        lay(file)
        yield database_at(f"sqlite:///{file}")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = await server.fresh()
    yield database_at(url)
    await server.give_back(url)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[OpenableStore]:
    store = database.store(LIMITS, lambda size, seconds: None)
    store.open()
    yield store
    await store.close()
