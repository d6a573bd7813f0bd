"""`chatserver copy`: what arrives is what there was, whatever happens on the way."""

import asyncio
import sqlite3
import subprocess
from pathlib import Path

import pytest

from chatserver.store.migrate import UNFINISHED_COPY
from chatserver.store.moving.open import source_at, target_at
from chatserver.store.moving.run import copy
from chatserver.store.open import database_at
from tests.forked import Forked
from tests.integration.moving.conftest import Place
from tests.integration.moving.house import dump, fill, tables_without_rows
from tests.integration.moving.killed import Fuse, kill_at
from tests.integration.test_cli import run
from tests.postgres import PostgresServer
from tests.processes import environment
from tests.terminals import Terminal

KINDS = ("postgres", "sqlite")
NEVER = 0


def copied(source: str, target: str) -> str:
    """What a copy that succeeds says."""
    done = run("copy", source, target)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_house_moves_to_postgresql_and_back(house: str, place: Place) -> None:
    away, back = place("postgres"), place("sqlite")
    before = dump(house)
    assert not tables_without_rows(before)
    copied(house, away)
    said = copied(away, back)
    assert "the copy is complete" in said
    assert "the same on both sides" in said
    assert dump(away) == before
    assert dump(back) == before
    assert dump(house) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_house_moves_to_another_of_its_kind(kind: str, house: str, place: Place) -> None:
    first, second = place(kind), place(kind)
    copied(house, first)
    copied(first, second)
    assert dump(second) == dump(house)


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_that_was_killed_goes_on_wherever_it_was(
    kind: str, house: str, place: Place
) -> None:
    target = place(kind)
    for steps in (1, 9, 25, 45):
        kill_at(house, target, steps)
    assert "going on with the unfinished copy" in copied(house, target)
    assert dump(target) == dump(house)


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_killed_in_the_midst_of_the_log_goes_on_behind_it(
    kind: str, place: Place, tmp_path: Path
) -> None:
    fill(tmp_path / "big.db", sessions=20, messages=1_000)
    source, target = f"sqlite:///{tmp_path / 'big.db'}", place(kind)
    command = ["chatserver", "copy", source, target]
    child = Forked(command, env=environment(), stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        next(line for line in child.stdout if line.startswith("copying event"))
        child.kill()
    child.wait()
    there = len(dump(target)["event"])
    assert 0 < there < len(dump(source)["event"])
    said = copied(source, target)
    assert "going on" in said
    assert "beginning anew" not in said
    assert dump(target) == dump(source)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_that_changed_since_is_copied_anew(kind: str, house: str, place: Place) -> None:
    target = place(kind)
    kill_at(house, target, 30)
    with sqlite3.connect(house.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE participant SET name = 'Ada L.' WHERE id = 'ada'")
    connection.close()
    assert "beginning anew" in copied(house, target)
    assert dump(target) == dump(house)


def test_no_server_starts_on_an_unfinished_copy(house: str, place: Place) -> None:
    for kind in KINDS:
        target = place(kind)
        kill_at(house, target, 30)
        for command in (["serve", "--port", "0"], ["migrate"], ["token", "--name", "Ada"]):
            refused = run(*command, "--database", target)
            assert refused.returncode == 1
            assert "unfinished copy of sqlite:///" in refused.stderr
        refused = run("copy", target, place("sqlite"))
        assert refused.returncode == 1
        assert "SOURCE_URL" in refused.stderr
        assert "unfinished copy" in refused.stderr


def test_a_target_that_changes_what_it_is_given_is_found_out(
    house: str, place: Place, postgres: PostgresServer
) -> None:
    file = place("sqlite")
    database_at(file).migrate()
    with sqlite3.connect(file.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "CREATE TRIGGER tamper AFTER INSERT ON member BEGIN"
            " UPDATE member SET read_seq = read_seq + 1 WHERE session = NEW.session; END"
        )
    connection.close()
    server = place("postgres")
    database_at(server).migrate()
    asyncio.run(postgres.execute(SWALLOW, database=server.rpartition("/")[2]))
    chatty = place("sqlite")
    database_at(chatty).migrate()
    with sqlite3.connect(chatty.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "CREATE TRIGGER tamper AFTER INSERT ON participant BEGIN"
            " INSERT INTO usage VALUES (NEW.id || NEW.id, 1, 1, 1); END"
        )
    connection.close()
    for target, table in ((file, "member"), (server, "invite"), (chatty, "usage")):
        failed = run("copy", house, target)
        assert failed.returncode == 1
        assert f"not what its source is, in: {table};" in failed.stderr
        assert UNFINISHED_COPY in dump(target)


SWALLOW = """
DO $$ BEGIN
  CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER swallow BEFORE INSERT ON invite FOR EACH ROW EXECUTE FUNCTION swallow();
END $$
"""


def test_of_a_live_postgresql_one_moment_is_copied(
    house: str, place: Place, postgres: PostgresServer
) -> None:
    source_url, target_url = place("postgres"), place("sqlite")
    copied(house, source_url)
    before = dump(source_url)
    name = source_url.rpartition("/")[2]

    async def move() -> None:
        async with (
            source_at(database_at(source_url)) as source,
            target_at(database_at(target_url), source) as target,
        ):
            await postgres.execute(WRITE, database=name)
            await copy(source, target, Fuse(NEVER))

    asyncio.run(move())
    assert dump(target_url) == before
    assert dump(source_url) != before


WRITE = """
WITH new AS (UPDATE session SET last_seq = last_seq + 1 WHERE id = 'Session-001' RETURNING *)
INSERT INTO event (session, seq, type, sender, body, created_at)
SELECT id, last_seq, 'message_kept', 'ada', '{"seq":5}', now() FROM new
"""


def test_a_terminal_shows_a_bar(house: str, place: Place) -> None:
    with Terminal(["chatserver", "copy", house, place("sqlite")], environment()) as terminal:
        terminal.expect("checking reply")
        terminal.expect("the copy is complete")
        assert terminal.ended() == 0
