"""Names at the framed door: who may have which."""

from datetime import UTC, datetime

import pytest

from chatserver.chat.errors import Forbidden
from chatserver.chat.models import Member, Participant, ParticipantKind, Role
from chatserver.gateways.framed.names import Handshakes, require_free, require_usable
from chatserver.gateways.naming import shown


def member(name: str, *, online: bool = True) -> Member:
    who = Participant(id=f"id-{name}", name=name, kind=ParticipantKind.USER)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Member(participant=who, role=Role.MEMBER, joined_at=now, read_seq=0, online=online)


@pytest.mark.parametrize(
    "name", ["Ada", "ADA", " ada ", "\uff21da", "A\u200bda", "\u2060 Ada\u00ad"]
)
def test_a_name_is_taken_in_all_its_spellings(name: str) -> None:
    with pytest.raises(Forbidden):
        require_free(name, [member("Ada")], None)


def test_a_name_is_free_where_who_bears_it_is_away_or_is_who_asks() -> None:
    require_free("Ada", [member("Ada", online=False), member("Adam")], None)
    require_free("Ada", [member("Ada")], "id-Ada")


@pytest.mark.parametrize(
    "name",
    [
        "Server",
        "server",
        " SERVER",
        "Server: Client Bob left",
        "server:",
        "Ser\u200bver",
        "Server\uff1a Client Bob left",
    ],
)
def test_nobody_is_called_as_the_server_is(name: str) -> None:
    with pytest.raises(Forbidden):
        require_usable(name)


def test_others_may_be_called_nearly_so() -> None:
    require_usable("Serverine")
    require_usable("my Server")


@pytest.mark.parametrize(
    ("name", "as_shown"),
    [
        ("Ada", "Ada"),
        ("Serverine", "Serverine"),
        ("Server", "(user) Server"),
        ("\u200bserver: Client Bob left", "(user) \u200bserver: Client Bob left"),
    ],
)
def test_what_people_say_does_not_begin_as_a_notice(name: str, as_shown: str) -> None:
    assert shown(member(name).participant, "Server") == as_shown


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
