"""`chatserver export` and `import`: a session is the same after its journey in a file."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chatserver.chat.archive.lines import MAX_LINE_BYTES
from chatserver.chat.archive.loading import lines_of
from chatserver.chat.commands import (
    CreateSession,
    DeleteMessage,
    EditMessage,
    SendMessage,
    UpdateSession,
)
from chatserver.chat.errors import Conflict
from chatserver.chat.limits import Limits
from chatserver.chat.models import ReplyState, Role, Visibility
from chatserver.chat.ports import Transaction
from chatserver.store.open import database_at
from chatserver.testing import ScriptedBot
from tests.contract.seeding import EVE, NOW, draft
from tests.integration.moving.conftest import Place
from tests.integration.moving.house import TEXTS, dump, fill
from tests.integration.test_cli import run
from tests.postgres import PostgresServer
from tests.processes import environment
from tests.servers import StartServer
from tests.waiting import eventually

T = TypeVar("T")
KINDS = ("postgres", "sqlite")
ONE = "Session-001"


def exported(session_id: str, database: str) -> str:
    done = run("export", session_id, "--database", database)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(file: Path, database: str, *options: str) -> str:
    """The id of the session."""
    done = run("import", str(file), "--database", database, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_export_without_room_says_so(tmp_path: Path, house: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "chatserver", "export", ONE, "--database", house]
        failed = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=environment(),
            check=False,
        )
    assert failed.returncode == 1
    assert "cannot write stdout" in failed.stderr
    assert "No space left on device" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_imported_is_exported_as_the_same_bytes(
    kind: str, house: str, place: Place, tmp_path: Path
) -> None:
    away, back, file = place(kind), place("sqlite"), tmp_path / "session.jsonl"
    file.write_text("an earlier one")
    done = run("export", ONE, "--database", house, "--output", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    assert file.stat().st_mode & 0o077 == 0
    assert imported(file, away) == ONE
    again = exported(ONE, away)
    assert again == file.read_text()
    file.write_text(again)
    assert imported(file, back) == ONE
    assert exported(ONE, back) == again


@pytest.mark.parametrize("kind", KINDS)
def test_an_imported_session_has_the_rows_that_it_had(
    kind: str, place: Place, tmp_path: Path
) -> None:
    fill(tmp_path / "one.db", sessions=1)
    source, target, file = f"sqlite:///{tmp_path / 'one.db'}", place(kind), tmp_path / "file"
    file.write_text(exported("Session-000", source))
    imported(file, target)
    before, after = dump(source), dump(target)
    for table in ("member", "memory"):
        assert after[table] == before[table]
    assert [row for row in before["session"] if row not in after["session"]] == [
        row for row in before["session"] if ("id", "Deleted") in row
    ]
    (edited,) = [row for row in before["event"] if row not in after["event"]]
    assert ("seq", 5) in edited  # only what it said at first is not known any more
    (running,) = [row for row in before["reply"] if row not in after["reply"]]
    assert ("owner", "worker-1") in running
    for secrets in ("token", "invite"):
        assert after[secrets] == []


async def test_what_a_member_sees_is_the_same_after_the_journey(
    server: StartServer, tmp_path: Path
) -> None:
    bot = ScriptedBot()
    running = await server(database=tmp_path / "from.db", bots=[bot], default_bot="scripted")
    service = running.service
    ada = (await service.issue_token("Ada")).participant
    made = await service.create_session(ada, CreateSession(title="Tea"))
    id = made.session.id

    async def say(text: str, name: str) -> int:
        sent = await service.send_message(
            ada, SendMessage(session_id=id, text=text, client_message_id=name)
        )
        return sent.message.seq

    async def ended(seq: int) -> bool:
        outcome = await service.reply_to(ada, id, seq)
        return outcome is not None and outcome.state.terminal

    bot.answers(["Hello!"])
    first = await say("hi there", "one")
    await eventually(lambda: ended(first))
    bot.say("half a").fail()
    second = await say("and more?", "two")
    await eventually(lambda: ended(second))
    await service.edit_message(ada, EditMessage(session_id=id, seq=first, text="hi again"))
    await service.delete_message(ada, DeleteMessage(session_id=id, seq=second))
    await service.update_session(ada, UpdateSession(session_id=id, visibility=Visibility.LINK))
    await running.stop()

    source, target = f"sqlite:///{tmp_path}/from.db", f"sqlite:///{tmp_path}/to.db"
    file = tmp_path / "session.jsonl"
    written = await asyncio.to_thread(exported, id, source)
    assert "and more?" not in written
    file.write_text(written)
    await asyncio.to_thread(imported, file, target)

    def look(tx: Transaction) -> Any:
        return (
            tx.sessions.overview(ada.id, None, 10),
            tx.members.all(id),
            tx.log.after(id, 0, 100),
            [tx.replies.newest_of_prompt(id, seq) for seq in (first, second)],
        )

    before, after = await read(source, look), await read(target, look)
    assert before == after
    assert before[0]
    assert before[3][0].state is ReplyState.DONE


async def read(url: str, work: Callable[[Transaction], T]) -> T:
    store = database_at(url).store(Limits(), lambda size, seconds: None)
    store.open()
    try:
        return await store.read(work)
    finally:
        await store.close()


async def test_a_reply_that_was_under_way_is_given_where_the_session_is_now(
    house: str, server: StartServer, tmp_path: Path
) -> None:
    file, target = tmp_path / "session.jsonl", tmp_path / "to.db"
    file.write_text(await asyncio.to_thread(exported, ONE, house))
    await asyncio.to_thread(imported, file, f"sqlite:///{target}")
    running = await server(database=target)

    async def states() -> list[tuple[str, str]] | None:
        lines = (await asyncio.to_thread(exported, ONE, f"sqlite:///{target}")).splitlines()
        replies = [json.loads(line)["reply"] for line in lines if line.startswith('{"reply"')]
        found = [(reply["reply_id"], reply["state"]) for reply in replies]
        return None if any(state == "queued" for _, state in found) else found

    found = dict(await eventually(states, within=40))
    assert found[f"{ONE}-running"] == "done"
    assert found[f"{ONE}-queued"] == "stopped"
    await running.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_as_new_a_session_is_stored_beside_the_one_it_was(
    kind: str, house: str, place: Place, tmp_path: Path
) -> None:
    target, file = place(kind), tmp_path / "session.jsonl"
    file.write_text(exported(ONE, house))
    imported(file, target)
    before = dump(target)
    refused = run("import", str(file), "--database", target)
    assert refused.returncode == 1
    assert "is in " in refused.stderr
    assert "--as-new" in refused.stderr
    assert dump(target) == before
    new = imported(file, target, "--as-new")
    assert new != ONE
    first, second = exported(ONE, target).splitlines(), exported(new, target).splitlines()
    assert len(first) == len(second)
    answers = [json.loads(line)["data"].get("reply_id") for line in second if '"data"' in line]
    replies = [json.loads(line)["reply"]["reply_id"] for line in second if '{"reply"' in line]
    assert {each for each in answers if each} <= set(replies)
    assert not any(each.startswith(ONE) for each in replies)


def test_the_id_of_a_deleted_session_is_not_given_again(
    house: str, place: Place, tmp_path: Path
) -> None:
    target, file = place("sqlite"), tmp_path / "session.jsonl"
    file.write_text(exported(ONE, house))
    imported(file, target)
    with sqlite3.connect(target.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE session SET deleted_at = 1, title = ''")
    connection.close()
    refused = run("import", str(file), "--database", target)
    assert refused.returncode == 1
    assert "was deleted" in refused.stderr
    assert "no such session" in run("export", ONE, "--database", target).stderr


def test_an_id_that_is_somebody_elses_here_is_refused(
    house: str, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "session.jsonl"
    file.write_text(exported(ONE, house))
    target = place("postgres")
    imported(file, target)
    before = dump(target)
    file.write_text(file.read_text().replace('"name":"Ada"', '"name":"Adam"'))
    refused = run("import", str(file), "--database", target, "--as-new")
    assert refused.returncode == 1
    assert "participant ada is somebody else" in refused.stderr
    assert dump(target) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_repeated_send_is_still_known_after_the_journey(
    kind: str, house: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file, target = tmp_path / "session.jsonl", f"sqlite:///{tmp_path}/to.db"
    if kind == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        target = await postgres.empty()
    file.write_text(await asyncio.to_thread(exported, ONE, house))
    await asyncio.to_thread(imported, file, target)
    store = database_at(target).store(Limits(), lambda size, seconds: None)
    store.open()
    sent = draft(ONE, TEXTS[2], sender=EVE, id="m2")
    await store.transact(lambda tx: tx.members.put(ONE, "eve", Role.MEMBER, NOW))
    repeated = await store.append_message(sent)
    assert repeated.duplicate
    assert repeated.message.seq == 7
    with pytest.raises(Conflict):
        await store.append_message(replace(sent, text="another"))
    await store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_the_database_finds_is_said_with_its_lines(
    kind: str, house: str, place: Place, tmp_path: Path
) -> None:
    target, file = place(kind), tmp_path / "session.jsonl"
    whole = exported(ONE, house)
    file.write_text(whole.replace('"client_message_id":"m3"', '"client_message_id":"m0"'))
    failed = run("import", str(file), "--database", target)
    assert failed.returncode == 1
    assert "lines 2 to 22: a client_message_id was used before" in failed.stderr
    assert dump(target)["participant"] == []
    file.write_text(whole)
    imported(file, target)
    file.write_text(whole.replace(f'"{ONE}"', '"another"'))
    failed = run("import", str(file), "--database", target)
    assert failed.returncode == 1
    assert "lines 23 to 26: there is a reply with this reply_id already" in failed.stderr
    assert len(dump(target)["session"]) == 1


def test_lines_are_read_one_by_one_and_none_too_long(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b"x" * (MAX_LINE_BYTES + 9) + b"\n")
    with file.open("rb") as lines:
        assert len(next(lines_of(lines))) == MAX_LINE_BYTES + 1
    failed = run("import", str(file), "--database", f"sqlite:///{tmp_path}/new.db")
    assert failed.returncode == 1
    assert "line 1: longer than" in failed.stderr
    assert not (tmp_path / "new.db").exists()


def test_an_export_that_fails_leaves_no_file(house: str, tmp_path: Path) -> None:
    output = tmp_path / "out" / "session.jsonl"
    failed = run("export", ONE, "--database", house, "--output", str(output))
    assert failed.returncode == 1
    assert "--output: cannot use" in failed.stderr
    output.parent.mkdir()
    for session_id, database, reason in (
        ("nothing", house, "SESSION_ID: there is no such session"),
        (ONE, f"sqlite:///{tmp_path}/typo.db", "there is no such file"),
        (ONE, "postgresql://me:hunter2@127.0.0.1:1/x", "check host and port"),
    ):
        failed = run("export", session_id, "--database", database, "--output", str(output))
        assert failed.returncode == 1
        assert reason in failed.stderr
        assert "hunter2" not in failed.stderr
        assert "Traceback" not in failed.stderr
        assert list(output.parent.iterdir()) == []
    assert not (tmp_path / "typo.db").exists()
