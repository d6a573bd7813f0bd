"""What rasa-webchat sends again by itself is told from what is said twice."""

from typing import Any

import pytest

from chatserver.gateways.rasa.resends import RESEND_SECONDS, Resends
from chatserver.testing import FakeClock

ID, OLD = "the id of this session", "the id of one that has expired"
FIRST, AGAIN = None, ID
"""What a widget asks for when it comes, and when it comes back."""


def said(text: str, session_id: str | None) -> dict[str, Any]:
    return {"message": text, "customData": {"language": "en"}, "session_id": session_id}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def ids(clock: FakeClock, asked: str | None, *payloads: dict[str, Any]) -> list[str]:
    """Of what is said on a new connection as soon as it is confirmed."""
    resends = Resends(clock)
    resends.confirmed(ID, asked)
    return [resends.client_message_id(payload) for payload in payloads]


@pytest.mark.parametrize("known", [None, OLD])
def test_what_was_queued_before_the_first_confirm_has_one_id_on_every_connection(
    clock: FakeClock, known: str | None
) -> None:
    queue = [said("yes", known), said("no", known), said("yes", known)]
    first = ids(clock, known, *queue)
    assert len(set(first)) == 3
    clock.advance(100)
    assert ids(clock, AGAIN, *queue) == first


def test_what_was_queued_by_a_page_that_knew_the_session_has_one_id(clock: FakeClock) -> None:
    assert ids(clock, AGAIN, said("hi", ID)) == ids(clock, AGAIN, said("hi", ID))


def test_who_could_know_the_session_by_this_confirm_only_has_waited_for_it(
    clock: FakeClock,
) -> None:
    deliberate = ids(clock, FIRST, said("hi", ID), said("hi", ID))
    assert len({*deliberate, *ids(clock, AGAIN, said("hi", ID))}) == 3


def test_what_comes_later_is_said_on_purpose(clock: FakeClock) -> None:
    resends = Resends(clock)
    resends.confirmed(ID, AGAIN)
    queued = resends.client_message_id(said("yes", ID))
    clock.advance(RESEND_SECONDS)
    later = [resends.client_message_id(said("yes", ID)) for _ in range(2)]
    assert len({queued, *later}) == 3


def test_another_confirm_on_the_same_connection_begins_the_queue_anew(clock: FakeClock) -> None:
    resends = Resends(clock)
    made = set()
    for _ in range(2):
        resends.confirmed(ID, AGAIN)
        made.add(resends.client_message_id(said("yes", None)))
    assert len(made) == 1


def test_before_any_confirm_nothing_was_queued_for_one(clock: FakeClock) -> None:
    resends = Resends(clock)
    assert len({resends.client_message_id(said("yes", ID)) for _ in range(2)}) == 2


def test_other_custom_data_makes_another_message(clock: FakeClock) -> None:
    one, other = ids(clock, AGAIN, said("yes", ID), said("yes", ID) | {"customData": {"n": 1}})
    assert one != ids(clock, AGAIN, said("yes", ID) | {"customData": {"n": 1}})[0] == other


def test_half_a_surrogate_pair_has_an_id_as_well(clock: FakeClock) -> None:
    assert ids(clock, AGAIN, said("\ud800", ID))[0].isascii()
