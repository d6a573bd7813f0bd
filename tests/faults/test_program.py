"""What a crowd does is drawn from its seed alone."""

from itertools import islice

import pytest

from tests.faults.program import Pause, Probe, Repeat, Return, Room, Say, Step, rooms, steps


def first(count: int, seed: int, client: int, where: list[Room]) -> list[Step]:
    return list(islice(steps(seed, client, where, "echo", 0.5), count))


def test_the_same_seed_makes_the_same_program() -> None:
    where = rooms(7, 12, 5)
    assert rooms(7, 12, 5) == where
    for client in range(12):
        assert first(500, 7, client, where) == first(500, 7, client, where)
    assert first(500, 7, 0, where) != first(500, 8, 0, where)
    assert first(500, 7, 0, where) != first(500, 7, 1, where)


@pytest.mark.parametrize(("clients", "sessions"), [(2, 1), (8, 4), (12, 5), (50, 25), (24, 48)])
def test_everybody_is_in_a_room_and_no_room_is_empty(clients: int, sessions: int) -> None:
    where = rooms(3, clients, sessions)
    assert len(where) == sessions
    assert {member for room in where for member in room.members} == set(range(clients))
    assert all(len(set(room.members)) == len(room.members) >= 2 for room in where)


def test_steps_keep_to_the_rooms_of_their_client() -> None:
    where = rooms(5, 12, 6)
    for client in range(12):
        own = {room.number for room in where if client in room.members}
        owned = {room.number for room in where if room.members[0] == client}
        private = {room.number for room in where if room.private}
        for step in first(3000, 5, client, where):
            match step:
                case Say(room=room):
                    assert room in own
                case Return(room=room):
                    assert room in own - owned, "a session must keep its owner"
                case Probe(room=room, action=action):
                    assert room not in own
                    assert room in private or action != "join_session"


def test_every_kind_of_step_comes_about() -> None:
    where = rooms(5, 12, 6)
    found = [step for client in range(12) for step in first(2000, 5, client, where)]
    assert {type(step) for step in found} >= {Say, Repeat, Return, Probe, Pause}
    asking = [step for step in found if isinstance(step, Say) and step.prompt]
    assert asking
    assert all(step.text.startswith("@echo ") for step in asking)
