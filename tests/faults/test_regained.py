"""When a client counts as recovered."""

from pathlib import Path

import pytest

from tests.faults.history import Acked, History, Joined, Received, Seen, Sent
from tests.faults.regained import regained

ROOM = "a session"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def join(history: History, name: str) -> None:
    history.client(name).write(Joined(1, ROOM, 0, 1, 0, True, []))


def ack(history: History, name: str, seq: int) -> None:
    history.client(name).write(Sent(seq, 1, ROOM, f"id-{seq}", "digest", False))
    history.client(name).write(Acked(seq, True, "", seq, False))


def receive(history: History, name: str, seq: int) -> None:
    event = Seen(seq, "message_created", "somebody", None, None, "digest")
    history.client(name).write(Received(1, ROOM, event))


def test_who_lacks_nothing_has_recovered_with_the_next_ack(history: History) -> None:
    join(history, "ada")
    history.mark("heal", "a fault")
    assert regained(history.folder) == {"a fault": []}
    ack(history, "ada", 1)
    assert len(regained(history.folder)["a fault"]) == 1


def test_who_lacks_what_others_said_has_not_recovered_before_it_came(history: History) -> None:
    join(history, "bob")
    ack(history, "ada", 1)
    ack(history, "ada", 2)
    history.mark("heal", "a fault")
    receive(history, "bob", 1)
    ack(history, "bob", 3)
    ack(history, "ada", 4)
    assert len(regained(history.folder)["a fault"]) == 1
    receive(history, "bob", 2)
    assert len(regained(history.folder)["a fault"]) == 2
