"""`honcho start` where it cannot work."""

from pathlib import Path

import pytest

from tests.honcho import Honcho
from tests.postgres import PostgresServer


def test_a_system_on_a_file_ends_with_a_message(tmp_path: Path) -> None:
    honcho = Honcho(tmp_path, "sqlite:///chat.db", "redis://127.0.0.1:9")
    with pytest.raises(AssertionError, match=r"a worker cannot share|REDIS_URL"):
        honcho.start(web=1, worker=1)
    assert honcho.ended() == 1


def test_a_system_without_redis_ends_with_a_message(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    honcho = Honcho(tmp_path, postgres.url(), "redis://127.0.0.1:9")
    with pytest.raises(AssertionError, match="REDIS_URL"):
        honcho.start(web=1, worker=1)
    assert honcho.ended() == 1
