"""How a load ends and how it is shared out."""

import pytest

from chatserver.loadtest import CrowdPlan, Load
from chatserver.loadtest.tally import HEAD, Tally


def test_a_load_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="end"):
        Load(rate=10)


def test_a_rate_and_a_time_make_a_number_of_messages() -> None:
    assert Load(rate=10, seconds=2).total == 20
    assert Load(rate=10, seconds=2, messages=5).total == 5
    assert Load(rate=0.1, seconds=1).total == 1
    assert Load(seconds=2).total is None


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_shares_of_a_load_add_up(parts: int) -> None:
    load, plan = Load(rate=10.0, messages=101), CrowdPlan(connections=40, rooms=8, members=3)
    shares = [load.share(part, parts) for part in range(parts)]
    assert sum(share.messages or 0 for share in shares) == 101
    assert sum(share.rate or 0 for share in shares) == pytest.approx(10)
    plans = [plan.share(part, parts) for part in range(parts)]
    assert sum(each.connections for each in plans) == 40
    assert sum(each.rooms for each in plans) == 8


def test_a_room_with_more_members_than_connections_is_refused() -> None:
    with pytest.raises(ValueError, match="members"):
        CrowdPlan(connections=5, rooms=1, members=6)


def test_messages_of_another_load_are_strays() -> None:
    ours, theirs = Tally(b"aaaaaaaa"), Tally(b"bbbbbbbb")
    for tally in (ours, theirs):
        packet = b'42/chat,["message_created",{"text":"' + tally.text(tally.last_at, 150) + b'"}]'
        ours.delivered(packet, 0, len(packet))
    assert (ours.deliveries, ours.strays) == (1, 1)


def test_a_text_has_the_size_that_was_asked_for() -> None:
    assert len(Tally(b"aaaaaaaa").text(10**18, 150)) == 150
    assert len(Tally(b"aaaaaaaa").text(10**18, 0)) == HEAD
