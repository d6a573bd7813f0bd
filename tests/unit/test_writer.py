"""The writer of SQLite when the disk does not do its part."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Commit
from chatserver.store import sqlite
from chatserver.store.migrate import migrate
from chatserver.store.open import database_at
from tests.contract.seeding import say, seed

MORE_PAGES = 40


async def test_a_full_disk_refuses_what_it_cannot_hold_and_loses_nothing_acked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "full.db"
    migrate(f"sqlite:///{path}")
    plain = sqlite.sqlite_engine

    def small_disk(path: Path) -> Any:
        engine = plain(path)

        @event.listens_for(engine, "connect")
        def _limit(connection: Any, _record: Any) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages + MORE_PAGES}")

        return engine

    monkeypatch.setattr(sqlite, "sqlite_engine", small_disk)
    store = sqlite.SqliteStore(path, Limits())
    store.open()
    heard: list[int] = []

    def note(commit: Commit) -> None:
        heard.extend(event.seq for event in commit.events)

    try:
        await seed(store)
        store.subscribe(note)
        acked, refused = [], 0
        for _ in range(20):
            sent = await asyncio.gather(
                *[say(store, text="x" * 1000) for _ in range(20)], return_exceptions=True
            )
            acked += [each.message.seq for each in sent if not isinstance(each, BaseException)]
            refusals = [each for each in sent if isinstance(each, BaseException)]
            assert all(isinstance(each, Unavailable) for each in refusals)
            refused += len(refusals)
        assert refused
        assert acked == heard == list(range(1, len(acked) + 1))
    finally:
        await store.close()
    with sqlite3.connect(path) as database:
        stored = database.execute("SELECT seq FROM event ORDER BY seq").fetchall()
    assert [seq for (seq,) in stored] == acked


async def test_what_was_submitted_before_the_end_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "closing.db"
    migrate(f"sqlite:///{path}")
    store = sqlite.SqliteStore(path, Limits())
    store.open()
    await seed(store)
    sending = [asyncio.ensure_future(say(store)) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    sent = await asyncio.gather(*sending)
    assert [each.message.seq for each in sent] == list(range(1, 51))
    with pytest.raises(Unavailable):
        await say(store)


def test_a_second_server_on_one_file_is_refused(tmp_path: Path) -> None:
    first, second = (sqlite.FileLock(tmp_path / "chat.db") for _ in range(2))
    first.acquire()
    with pytest.raises(sqlite.DatabaseInUse):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_link_to_a_file_is_the_same_file(tmp_path: Path) -> None:
    real, link = tmp_path / "chat.db", tmp_path / "link.db"
    link.symlink_to(real)
    first, second = (database_at(f"sqlite:///{path}") for path in (real, link))
    first.acquire()
    with pytest.raises(sqlite.DatabaseInUse):
        second.acquire()
    first.release()
