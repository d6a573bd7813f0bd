"""Names at the framed door: who may have which."""

from datetime import UTC, datetime

import pytest

from chatserver.chat.errors import Forbidden
from chatserver.chat.models import Member, Participant, ParticipantKind, Role
from chatserver.gateways.framed.names import Handshakes, require_free, require_usable


def member(name: str, *, online: bool = True) -> Member:
    who = Participant(id=f"id-{name}", name=name, kind=ParticipantKind.USER)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Member(participant=who, role=Role.MEMBER, joined_at=now, read_seq=0, online=online)


@pytest.mark.parametrize("name", ["Ada", "ADA", " ada ", "\uff21da"])
def test_a_name_is_taken_in_all_its_spellings(name: str) -> None:
    with pytest.raises(Forbidden):
        require_free(name, [member("Ada")], None)


def test_a_name_is_free_where_who_bears_it_is_away_or_is_who_asks() -> None:
    require_free("Ada", [member("Ada", online=False), member("Adam")], None)
    require_free("Ada", [member("Ada")], "id-Ada")


@pytest.mark.parametrize(
    "name", ["Server", "server", " SERVER", "Server: Client Bob left", "server:"]
)
def test_nobody_is_called_as_the_server_is(name: str) -> None:
    with pytest.raises(Forbidden):
        require_usable(name)


def test_others_may_be_called_nearly_so() -> None:
    require_usable("Serverine")
    require_usable("my Server")


def test_of_two_handshakes_at_once_one_gets_the_name() -> None:
    handshakes = Handshakes()
    with handshakes.reserving("s", "Ada", "first"):
        with pytest.raises(Forbidden), handshakes.reserving("s", "ada", "second"):
            pass
        with handshakes.reserving("s", "Ada", "first"), handshakes.reserving("t", "Ada", "third"):
            pass
        # Neither of the two that ended took the first one's with it.
        with pytest.raises(Forbidden), handshakes.reserving("s", "ADA", "fourth"):
            pass
    with handshakes.reserving("s", "Ada", "second"):
        pass
    assert not handshakes._under_way
