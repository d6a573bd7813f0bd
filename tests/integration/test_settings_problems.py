"""What cannot work is said in one line that names the setting and what helps; nothing is touched.

By every command that opens the store, alike.
"""

import asyncio
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.realtime.bus_redis.address import parse_address
from chatserver.realtime.bus_redis.reach import RedisRefused, reach
from tests.integration.test_cli import run
from tests.postgres import PostgresServer
from tests.processes import StartProcess
from tests.redis_server import RedisServer

DATABASE = "CHATSERVER_DATABASE_URL (--database)"
REDIS = "CHATSERVER_REDIS_URL (REDIS_URL)"
SERVE = ("serve", "--port", "0")
WORKER = ("worker",)
MIGRATE = ("migrate",)
TOKEN = ("token", "--name", "Ada")
OPENING = (SERVE, WORKER, MIGRATE, TOKEN)
RUNNING = (SERVE, WORKER)


def refused(command: tuple[str, ...], cwd: Path, **settings: Any) -> str:
    """What the command says as it fails."""
    failed = run(*command, cwd=cwd, log_level="error", **settings)
    assert failed.returncode == 1, failed
    assert "Traceback" not in failed.stderr, failed.stderr
    assert "hunter2" not in failed.stderr
    assert "ready" not in failed.stdout
    return failed.stderr


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("command", OPENING, ids=lambda c: c[0])
def test_a_database_that_is_not_there_is_named(
    command: tuple[str, ...], tmp_path: Path, nobody: int, redis: RedisServer
) -> None:
    url = f"postgresql://me:hunter2@127.0.0.1:{nobody}/chat"
    said = refused(command, tmp_path, database_url=url, redis_url=redis.url)
    assert DATABASE in said
    assert "check host and port" in said
    wrong = refused(command, tmp_path, database_url="mysql://me:hunter2@host/x")
    assert DATABASE in wrong
    assert "postgresql://" in wrong


@pytest.mark.parametrize("command", RUNNING, ids=lambda c: c[0])
async def test_a_redis_that_is_not_there_is_named_and_the_database_left_alone(
    command: tuple[str, ...], tmp_path: Path, nobody: int, postgres: PostgresServer
) -> None:
    database = await postgres.empty()
    url = f"redis://:hunter2@127.0.0.1:{nobody}"
    said = await asyncio.to_thread(refused, command, tmp_path, database_url=database, redis_url=url)
    assert REDIS in said
    assert f"127.0.0.1:{nobody}" in said
    assert "check host and port" in said
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    (row,) = await postgres.execute(tables, database=database.rpartition("/")[2])
    assert row["count"] == 0


@pytest.mark.parametrize("command", RUNNING, ids=lambda c: c[0])
def test_what_is_no_url_of_redis_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    database = "postgresql://me:hunter2@127.0.0.1:9/chat"
    said = refused(command, tmp_path, database_url=database, redis_url="http://:hunter2@host")
    assert REDIS in said
    assert "redis://" in said


@pytest.mark.parametrize(
    ("url", "helps"),
    [
        ("redis://127.0.0.1:{nobody}", "check host and port"),
        ("redis://no.such.host", "check host and port"),
        ("unix:///no/such/socket", "check host and port"),
        ("redis+sentinel://127.0.0.1:{nobody}/chat", "check the sentinels"),
        ("redis+cluster://:hunter2@127.0.0.1:{nobody}", "check host and port"),
        ("redis+cluster://127.0.0.1:{redis}", "not enabled"),
        ("redis://me:hunter2@127.0.0.1:{redis}", "check the user and the password"),
        ("redis://127.0.0.1:{redis}/4711", "out of range"),
        ("rediss://127.0.0.1:{redis}", "check"),
    ],
)
async def test_a_redis_that_cannot_be_used_is_refused_with_what_helps(
    url: str, helps: str, nobody: int, redis: RedisServer
) -> None:
    address = parse_address(url.format(nobody=nobody, redis=redis.port))
    with pytest.raises(RedisRefused) as refusal:
        await reach(address)
    assert helps in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("command", RUNNING, ids=lambda c: c[0])
async def test_a_redis_that_says_nothing_is_named(
    command: tuple[str, ...], tmp_path: Path, postgres: PostgresServer
) -> None:
    frozen = RedisServer(tmp_path)
    frozen.start()
    frozen.freeze()
    try:
        said = await asyncio.to_thread(
            refused, command, tmp_path, database_url=postgres.url(), redis_url=frozen.url
        )
    finally:
        frozen.kill()
    assert "does not answer" in said
    assert f"127.0.0.1:{frozen.port}" in said


@pytest.mark.parametrize("command", OPENING, ids=lambda c: c[0])
async def test_a_schema_of_a_later_version_is_named_and_left_alone(
    command: tuple[str, ...], tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    url = await postgres.empty()
    name = url.rpartition("/")[2]
    await postgres.execute("CREATE TABLE alembic_version (version_num text)", database=name)
    await postgres.execute("INSERT INTO alembic_version VALUES ('9999_future')", database=name)
    said = await asyncio.to_thread(
        refused, command, tmp_path, database_url=url, redis_url=redis.url
    )
    assert DATABASE in said
    assert "later version" in said
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    rows = await postgres.execute(tables, database=name)
    assert [row["tablename"] for row in rows] == ["alembic_version"]


@pytest.mark.parametrize("command", [SERVE, WORKER, TOKEN], ids=lambda c: c[0])
async def test_an_older_schema_is_left_alone_where_only_migrate_may_change_it(
    command: tuple[str, ...], tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    url = await postgres.empty()
    settings: Any = {"database_url": url, "redis_url": redis.url}
    said = await asyncio.to_thread(refused, command, tmp_path, migrate=False, **settings)
    assert DATABASE in said
    assert "chatserver migrate" in said
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    (row,) = await postgres.execute(tables, database=url.rpartition("/")[2])
    assert row["count"] == 0
    done = await asyncio.to_thread(run, "migrate", migrate=False, **settings)
    assert done.returncode == 0, done.stderr
    made = await asyncio.to_thread(run, *TOKEN, migrate=False, **settings)
    assert made.returncode == 0, made.stderr


def test_an_older_file_is_left_alone_where_only_migrate_may_change_it(tmp_path: Path) -> None:
    file = tmp_path / "chat #1.db"
    url = f"sqlite:///{file}"
    assert DATABASE in refused(SERVE, tmp_path, migrate=False, database_url=url)
    assert not file.exists()
    assert run("migrate", migrate=False, database_url=url).returncode == 0
    assert run(*TOKEN, migrate=False, database_url=url).returncode == 0
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM alembic_version")
    database.close()
    before = file.read_bytes()
    said = refused(SERVE, tmp_path, migrate=False, database_url=url)
    assert "chatserver migrate" in said
    assert file.read_bytes() == before


def test_a_worker_says_what_it_needs(
    tmp_path: Path, server_process: StartProcess, redis: RedisServer, nobody: int
) -> None:
    server = server_process()
    on_a_file = refused(WORKER, tmp_path, database_url=f"sqlite:///{server.database}")
    assert DATABASE in on_a_file
    assert "postgresql://" in on_a_file
    assert server.terminate() == 0

    shared = {"database_url": f"postgresql://me:hunter2@127.0.0.1:{nobody}/chat"}
    alone = refused(WORKER, tmp_path, **shared)
    assert REDIS in alone
    idle = refused((*WORKER, "--replies", "0"), tmp_path, redis_url=redis.url, **shared)
    assert "CHATSERVER_REPLIES_CONCURRENCY (--replies)" in idle


async def test_a_workers_busy_port_is_named(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    url = await postgres.fresh()
    settings = {"database_url": url, "redis_url": redis.url, "redis_prefix": secrets.token_hex(4)}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = (*WORKER, "--port", str(port))
        said = await asyncio.to_thread(refused, command, tmp_path, **settings)
    assert "CHATSERVER_WORKER_PORT (--port)" in said
    assert f"127.0.0.1:{port}" in said
    await postgres.give_back(url)


def test_a_host_that_cannot_be_a_name_is_named(tmp_path: Path) -> None:
    said = refused(("serve", "--port", "0", "--host", f"{'a' * 64}.example"), tmp_path)
    assert "CHATSERVER_HOST (--host)" in said
    assert "PROXIES" not in said


def test_a_proxy_that_is_no_address_is_named(tmp_path: Path) -> None:
    said = refused(SERVE, tmp_path, trusted_proxies="proxy")
    assert "CHATSERVER_TRUSTED_PROXIES: 'proxy'" in said
