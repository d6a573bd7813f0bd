"""The command line on PostgreSQL: what cannot work is explained, and no password is shown."""

import asyncio
import socket
import traceback
from pathlib import Path

import pytest

from chatserver.chat.limits import Limits
from chatserver.cli.token import issue
from chatserver.store.open import shown
from chatserver.store.postgres.store import PostgresStore
from tests.contract.seeding import NOW, seed
from tests.integration.test_cli import failure_of, run
from tests.postgres import PASSWORD, PostgresServer
from tests.processes import StartProcess
from tests.servers import settings_for_test


def refused(url: str, cwd: Path) -> str:
    """What `serve` says of a database; it names the setting, and shows no password."""
    said = failure_of("--port", "0", "--database", url, cwd=cwd)
    assert "CHATSERVER_DATABASE_URL (--database)" in said
    assert "hunter2" not in said
    assert PASSWORD not in said
    return said


def test_a_server_that_is_not_there_is_named_with_what_helps(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        port = taken.getsockname()[1]
        said = refused(f"postgres://me:hunter2@127.0.0.1:{port}/chat?password=hunter2", tmp_path)
    assert f"127.0.0.1:{port}/chat" in said
    assert "check host and port" in said
    assert "check host and port" in refused("postgresql://me:hunter2@no.such.host/x", tmp_path)


def test_a_wrong_password_and_a_missing_database_are_named(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    wrong = postgres.url().replace(PASSWORD, "hunter2")
    assert "check the user and the password" in refused(wrong, tmp_path)
    assert "createdb" in refused(postgres.url("missing"), tmp_path)
    assert "not a URL" in refused("postgresql://me:hunter2@host:port/x", tmp_path)


async def test_a_database_where_no_tables_may_be_made_is_refused(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.empty()
    await postgres.execute("CREATE ROLE visitor LOGIN PASSWORD 'hunter2'")
    theirs = url.replace(f"//chat:{PASSWORD}@", "//visitor:hunter2@")
    said = await asyncio.to_thread(refused, theirs, tmp_path)
    assert "create tables" in said


async def test_a_schema_of_a_later_version_is_refused_and_left_alone(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.empty()
    migrated = await asyncio.to_thread(run, "migrate", "--database", url)
    assert migrated.returncode == 0, migrated.stderr
    assert PASSWORD not in migrated.stdout
    name = url.rpartition("/")[2]
    await postgres.execute("UPDATE alembic_version SET version_num = '9999_future'", database=name)
    said = await asyncio.to_thread(refused, url, tmp_path)
    assert "9999_future" in said
    assert "later version" in said


async def test_two_servers_share_one_database_and_its_tokens(
    postgres: PostgresServer, server_process: StartProcess
) -> None:
    url = await postgres.empty()
    # As platforms write it.
    given = url.replace("postgresql://", "postgres://")
    one, two = await asyncio.gather(
        *[asyncio.to_thread(server_process, database_url=given) for _ in range(2)]
    )
    token = await one.token("Ada")
    made = await one.rest("POST", "/api/v1/sessions", {"title": "tea"}, token=token)
    session_id = made["session"]["id"]
    found = await two.rest("GET", f"/api/v1/sessions/{session_id}", token=token)
    assert found["session"]["title"] == "tea"
    settings = settings_for_test(Path("unused"), database_url=given)
    (issued,) = await issue(settings, ["Operator"])
    assert issued.token
    for each in (one, two):
        assert await asyncio.to_thread(each.terminate) == 0
        assert PASSWORD not in each.output()


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgres://me:hunter2@host:1/name?sslmode=require", "postgres://me@host:1/name"),
        ("postgresql://me:hun@ter2@a,b:2/name", "postgresql://me@a,b:2/name"),
        ("postgresql://host/name?user=me&password=hunter2", "postgresql://host/name"),
        ("sqlite:///chat.db", "sqlite:///chat.db"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_shown_url_has_no_secret(url: str, seen: str) -> None:
    assert shown(url) == seen


async def test_a_failure_of_the_database_does_not_quote_rows(postgres: PostgresServer) -> None:
    url = await postgres.fresh()
    store = PostgresStore(url, Limits())
    store.open()
    await seed(store)
    nobody = "terces"[::-1]  # a traceback quotes the source
    with pytest.raises(Exception, match="foreign key") as failed:
        await store.transact(lambda tx: tx.invites.add(b"x" * 32, "s", nobody, NOW, NOW))
    assert nobody not in "".join(traceback.format_exception(failed.value))
    await store.close()
    await postgres.give_back(url)
