"""What `chatserver copy` refuses or cannot go on with: it names the argument and what helps."""

import asyncio
import hashlib
import socket
import sqlite3
from pathlib import Path

import pytest

from chatserver.store.migrate import UNFINISHED_COPY
from tests.integration.moving.conftest import Place
from tests.integration.moving.house import dump
from tests.integration.moving.killed import kill_at
from tests.integration.test_cli import run
from tests.postgres import PASSWORD, PostgresServer
from tests.processes import StartProcess

KINDS = ("postgres", "sqlite")


def refused(source: str, target: str) -> str:
    failed = run("copy", source, target)
    assert failed.returncode == 1, failed
    assert "Traceback" not in failed.stderr, failed.stderr
    assert "hunter2" not in failed.stderr
    assert PASSWORD not in failed.stderr
    return failed.stderr


def write(url: str, statement: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    connection.close()


def fingerprint(url: str) -> str:
    return hashlib.sha256(Path(url.removeprefix("sqlite:///")).read_bytes()).hexdigest()


def test_a_url_that_names_no_database_is_refused(house: str, tmp_path: Path) -> None:
    assert "SOURCE_URL: mysql is not supported" in refused("mysql://x/y", "sqlite:///t.db")
    assert "TARGET_URL: nonsense is not supported" in refused(house, "nonsense")
    said = refused(f"sqlite:///{tmp_path}/typo.db", f"sqlite:///{tmp_path}/t.db")
    assert "SOURCE_URL" in said
    assert "there is no such file" in said
    assert sorted(tmp_path.iterdir()) == sorted(tmp_path.glob("house.db*"))
    assert "SOURCE_URL" in refused(f"sqlite:///{tmp_path}", "sqlite:///t.db")
    said = refused(house, f"sqlite:///{tmp_path}/no/such/t.db")
    assert "TARGET_URL" in said
    assert "a folder that exists" in said


def test_a_server_that_cannot_be_reached_is_refused(
    house: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        nobody = f"postgresql://me:hunter2@127.0.0.1:{taken.getsockname()[1]}/chat"
        said = refused(house, nobody)
        assert "TARGET_URL" in said
        assert "check host and port" in said
        said = refused(nobody, f"sqlite:///{tmp_path}/t.db")
        assert "SOURCE_URL" in said
        assert not (tmp_path / "t.db").exists()
    wrong = postgres.url().replace(PASSWORD, "hunter2")
    assert "check the user and the password" in refused(house, wrong)
    assert "createdb" in refused(house, postgres.url("missing"))


def test_a_file_that_is_no_database_of_ours_is_refused(
    house: str, place: Place, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    other.write_text("no database at all, " * 100)
    for said in (
        refused(f"sqlite:///{other}", place("sqlite")),
        refused(house, f"sqlite:///{other}"),
    ):
        assert "not a database" in said
    assert other.read_text().startswith("no database at all")
    foreign = place("sqlite")
    write(foreign, "CREATE TABLE recipe (name TEXT)")
    before = fingerprint(foreign)
    assert "table recipe of another program" in refused(house, foreign)
    assert "SOURCE_URL" in (said := refused(foreign, place("sqlite")))
    assert "nothing of chatserver" in said
    assert fingerprint(foreign) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_with_rows_in_it_is_refused_and_left_alone(
    kind: str, house: str, place: Place
) -> None:
    target = place(kind)
    assert run("copy", house, target).returncode == 0
    before = dump(target)
    said = refused(house, target)
    assert "TARGET_URL" in said
    assert "is not empty (rows in table participant)" in said
    assert dump(target) == before
    assert "is the source itself" in refused(house, house)
    assert "is the source itself" in refused(target, target)


def test_the_unfinished_copy_of_another_source_is_refused(house: str, place: Place) -> None:
    first, target = place("sqlite"), place("postgres")
    assert run("copy", house, first).returncode == 0
    kill_at(first, target, 30)
    before = dump(target)
    said = refused(house, target)
    assert f"unfinished copy of {first}" in said
    assert dump(target) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("revision", "remedy"), [("0001", "chatserver migrate"), ("9999", "later")]
)
def test_a_source_of_another_schema_is_refused_and_left_alone(
    kind: str,
    revision: str,
    remedy: str,
    house: str,
    place: Place,
    postgres: PostgresServer,
) -> None:
    source, target = place(kind), place("sqlite")
    assert run("copy", house, source).returncode == 0
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    if kind == "sqlite":
        write(source, statement)
    else:
        asyncio.run(postgres.execute(statement, database=source.rpartition("/")[2]))
    before = dump(source)
    said = refused(source, target)
    assert "SOURCE_URL" in said
    assert revision in said
    assert remedy in said
    assert dump(source) == before
    assert not Path(target.removeprefix("sqlite:///")).exists()


def test_a_target_of_a_later_schema_is_refused(house: str, place: Place) -> None:
    target = place("sqlite")
    assert run("migrate", "--database", target).returncode == 0
    write(target, "UPDATE alembic_version SET version_num = '9999'")
    said = refused(house, target)
    assert "TARGET_URL" in said
    assert "later version" in said


def test_a_file_that_a_server_works_on_is_neither_source_nor_target(
    house: str, place: Place, server_process: StartProcess
) -> None:
    live = place("sqlite")
    server_process(database=Path(live.removeprefix("sqlite:///")))
    for said, argument in (
        (refused(live, place("sqlite")), "SOURCE_URL"),
        (refused(house, live), "TARGET_URL"),
    ):
        assert argument in said
        assert "another server works on" in said


def test_a_postgresql_that_servers_work_on_is_no_target(
    house: str, place: Place, server_process: StartProcess
) -> None:
    live = place("postgres")
    server_process(database_url=live)
    said = refused(house, live)
    assert "TARGET_URL" in said
    assert "other connections" in said
    assert "stop what works on it" in said
    assert UNFINISHED_COPY not in dump(live)
    # As a source it may be used all the time.
    assert run("copy", live, place("sqlite")).returncode == 0


def test_a_row_that_postgresql_cannot_store_is_named_and_the_copy_goes_on_once_it_is_mended(
    house: str, place: Place
) -> None:
    target = place("postgres")
    write(house, "UPDATE session SET title = 'a' || char(0) || 'b' WHERE id = 'Session-001'")
    said = refused(house, target)
    assert "SOURCE_URL: a row cannot be stored" in said
    assert "session Session-001: title has the NUL character" in said
    write(house, "UPDATE session SET title = 'a b' WHERE id = 'Session-001'")
    assert "going on" in run("copy", house, target).stdout
    assert dump(target) == dump(house)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_what_it_refers_to_is_not_copied(kind: str, house: str, place: Place) -> None:
    write(house, "DELETE FROM participant WHERE id = 'eve'")
    said = refused(house, place(kind))
    assert "SOURCE_URL: a row cannot be stored" in said
    assert "foreign key" in said.lower()


def test_a_text_that_is_no_utf_8_ends_the_copy(house: str, place: Place) -> None:
    write(house, "UPDATE participant SET name = CAST(X'ff' AS TEXT) WHERE id = 'eve'")
    said = refused(house, place("sqlite"))
    assert "SOURCE_URL" in said
    assert "Could not decode to UTF-8" in said
