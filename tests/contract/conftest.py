"""The stores that have to keep the same promises. A new backend is one more entry of `BACKENDS`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from chatserver.chat.limits import Limits
from chatserver.store.migrate import migrate
from chatserver.store.sqlite import SqliteStore

LIMITS = Limits(queued_replies_per_session=3)


async def sqlite(folder: Path) -> SqliteStore:
    path = folder / "contract.db"
    migrate(f"sqlite:///{path}")
    store = SqliteStore(path, LIMITS)
    store.open()
    return store


BACKENDS: dict[str, Callable[[Path], Awaitable[SqliteStore]]] = {"sqlite": sqlite}


@pytest.fixture(params=sorted(BACKENDS))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await BACKENDS[request.param](tmp_path)
    yield store
    await store.close()
