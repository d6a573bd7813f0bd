"""Who counts as alive, and what is owed to them."""

from chatserver.realtime.frame import Kind, new_origin, pack
from chatserver.realtime.owed import SESSIONS, Owed
from chatserver.realtime.peers import DOUBT_SECONDS, Peers

ONE, TWO, ME = (new_origin() for _ in range(3))


def test_one_that_is_silent_for_its_lease_is_gone_once() -> None:
    gone: list[bytes] = []
    peers = Peers(gone.append, lease=10)
    peers.heard(ONE, 0)
    peers.heard(TWO, 8)
    peers.expire(10)
    assert gone == []
    peers.expire(11)
    peers.expire(12)
    assert gone == [ONE]


def test_one_that_says_good_bye_is_gone_at_once_and_causes_no_doubt() -> None:
    gone: list[bytes] = []
    peers = Peers(gone.append, lease=10)
    peers.heard(ONE, 0)
    peers.left(ONE)
    assert gone == [ONE]
    assert not peers.are_doubtful(20)


def test_a_silent_one_is_reckoned_with_until_it_is_back_or_long_gone() -> None:
    peers = Peers(lambda origin: None, lease=10)
    peers.heard(ONE, 0)
    assert not peers.are_doubtful(2)
    assert peers.are_doubtful(4)
    peers.expire(11)
    assert peers.are_doubtful(11)
    peers.heard(ONE, 12)
    assert not peers.are_doubtful(12)
    peers.expire(30)
    peers.expire(30 + DOUBT_SECONDS + 1)
    assert not peers.are_doubtful(30 + DOUBT_SECONDS + 1)


def test_after_our_own_deafness_everybody_gets_a_new_lease() -> None:
    gone: list[bytes] = []
    peers = Peers(gone.append, lease=10)
    peers.heard(ONE, 0)
    peers.forgive(100)
    peers.expire(101)
    assert gone == []


def test_of_a_session_the_highest_seq_is_owed() -> None:
    owed = Owed()
    for seq in (3, 5, 4):
        owed.add("s:one", pack(Kind.EVENT, ME, seq, b"packet"))
    owed.add("s:two", pack(Kind.HERE, ME))
    owed.add("instances", pack(Kind.TOKEN, ME, body=b"digest"))
    owed.add("s:three", pack(Kind.CLOSED, ME))
    assert owed.take() == ({"one": 5, "two": 0}, [b"digest"], False)
    assert owed.take() == ({}, [], False)


def test_what_is_owed_is_bounded_and_says_so() -> None:
    owed = Owed()
    for number in range(SESSIONS + 10):
        owed.add(f"s:{number}", pack(Kind.EVENT, ME, 1))
    seqs, _, everything = owed.take()
    assert len(seqs) == SESSIONS
    assert everything
