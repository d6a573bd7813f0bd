"""What a framed door means by its answers, without a server or time."""

import pytest

from chatserver.cli.ai.refusals import TAKEN_SECONDS, Refusals, Refused, for_good


@pytest.mark.parametrize("status", [400, 401, 404, 410, 426])
def test_refusals_are_for_good(status: int) -> None:
    assert for_good(status)
    with pytest.raises(Refused, match=str(status)):
        Refusals().weigh(status, 0)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_others_pass(status: int) -> None:
    refusals = Refusals()
    for now in range(10):
        refusals.weigh(status, now * TAKEN_SECONDS)


def test_a_name_may_be_taken_for_a_while() -> None:
    refusals = Refusals()
    refusals.weigh(403, 5)
    refusals.weigh(403, 4 + TAKEN_SECONDS)
    with pytest.raises(Refused, match="403"):
        refusals.weigh(403, 5 + TAKEN_SECONDS)


def test_the_while_begins_anew_when_the_server_was_away() -> None:
    refusals = Refusals()
    refusals.weigh(403, 0)
    refusals.unanswered()
    refusals.weigh(403, TAKEN_SECONDS)
    refusals.weigh(503, TAKEN_SECONDS + 1)
    refusals.weigh(403, 2 * TAKEN_SECONDS)
