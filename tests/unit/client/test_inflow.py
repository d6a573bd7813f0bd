"""The order of events, without a server: what is offered, what is taken, what is missing."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from chatserver.client.inflow import Inflow

ADA = Participant(id="a", name="Ada", kind=ParticipantKind.USER)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(seq: int) -> Event:
    return Event(
        session_id="s",
        seq=seq,
        type=EventType.MESSAGE_CREATED,
        sender=ADA,
        created_at=NOW,
        data={"text": str(seq)},
    )


def taken(inflow: Inflow) -> list[int]:
    seqs = []
    while (one := inflow.next()) is not None:
        seqs.append(one.seq)
    return seqs


def test_events_in_order_are_taken_and_repeats_are_not() -> None:
    inflow = Inflow(after=0)
    inflow.offer([event(1), event(2), event(2), event(1), event(3)])
    assert taken(inflow) == [1, 2, 3]
    assert not inflow.missing


def test_what_comes_after_a_hole_is_missing_until_the_hole_is_filled() -> None:
    inflow = Inflow(after=0)
    inflow.offer([event(1), event(3)])
    assert taken(inflow) == [1]
    assert inflow.known == 3
    inflow.offer([event(2), event(3)])
    assert taken(inflow) == [2, 3]


def test_before_a_snapshot_nothing_is_taken_but_remembered() -> None:
    inflow = Inflow(after=None)
    inflow.offer([event(8)])
    assert taken(inflow) == []
    inflow.begin(5)
    assert inflow.missing
    inflow.offer([event(6), event(7), event(8)])
    assert taken(inflow) == [6, 7, 8]


def test_what_does_not_fit_is_missing_and_not_lost() -> None:
    inflow = Inflow(after=0, capacity=2)
    inflow.offer(event(n) for n in range(1, 6))
    assert taken(inflow) == [1, 2]
    assert inflow.missing


@given(st.lists(st.integers(1, 30), max_size=200), st.integers(1, 5))
def test_whatever_arrives_the_reader_gets_every_event_once_in_order(
    arrivals: list[int], capacity: int
) -> None:
    inflow = Inflow(after=0, capacity=capacity)
    read: list[int] = []
    for seq in arrivals:
        inflow.offer([event(seq)])
        if seq % 3 == 0:
            read += taken(inflow)
    read += taken(inflow)
    while inflow.missing:
        assert inflow.tail is not None
        inflow.offer(event(n) for n in range(inflow.tail + 1, inflow.known + 1))
        read += taken(inflow)
    assert read == list(range(1, max(arrivals, default=0) + 1))
