"""Who is a member, by a snapshot and what is heard before and after it; without a server."""

from typing import Any

from chatserver.chat.commands import Joined
from chatserver.chat.models import (
    Event,
    EventType,
    Member,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    Role,
    Session,
    Visibility,
)
from chatserver.client.standing import Standing
from tests.unit.client.test_inflow import ADA, NOW, event

BOB = Participant(id="b", name="Bob", kind=ParticipantKind.USER)


def joined(seq: int, who: Participant = BOB, **more: Any) -> Event:
    data = {"participant": who.wire(), "role": "member", **more}
    return event(seq).model_copy(update={"type": EventType.PARTICIPANT_JOINED, "data": data})


def left(seq: int, who: Participant = BOB, **more: Any) -> Event:
    data = {"participant": who.wire(), **more}
    return event(seq).model_copy(update={"type": EventType.PARTICIPANT_LEFT, "data": data})


def updated(seq: int, title: str) -> Event:
    data = {"title": title, "visibility": "link", "reply_policy": "always", "bot": None}
    return event(seq).model_copy(update={"type": EventType.SESSION_UPDATED, "data": data})


def member(who: Participant, role: Role = Role.MEMBER) -> Member:
    return Member(participant=who, role=role, joined_at=NOW, read_seq=3, online=True)


def snapshot(to_seq: int, *members: Member, title: str = "Tea") -> Joined:
    session = Session(
        id="s",
        title=title,
        visibility=Visibility.LINK,
        reply_policy=ReplyPolicy.ALWAYS,
        bot=None,
        created_by=ADA.id,
        created_at=NOW,
        last_seq=to_seq,
    )
    return Joined(
        session=session,
        members=list(members),
        events=[],
        from_seq=to_seq + 1,
        to_seq=to_seq,
        complete=True,
        replies=[],
    )


def standing(to_seq: int, *members: Member) -> Standing:
    made = Standing()
    made.snapshot(snapshot(to_seq, *members))
    return made


def test_the_logs_older_events_do_not_change_who_is_a_member() -> None:
    room = standing(9, member(ADA, Role.OWNER), member(BOB, Role.OWNER))
    for old in (joined(2), left(3), joined(4, read_seq=0), left(5), updated(6, "Old")):
        room.hear(old)
    assert room.members == {"a": member(ADA, Role.OWNER), "b": member(BOB, Role.OWNER)}
    assert room.info is not None
    assert room.info.title == "Tea"


def test_what_was_heard_before_its_snapshot_was_read_still_counts() -> None:
    room = Standing()
    for early in (joined(2), updated(3, "Old"), left(4), joined(11), updated(12, "New")):
        room.hear(early)
    room.snapshot(snapshot(10, member(ADA)))
    assert set(room.members) == {"a", "b"}
    assert room.info is not None
    assert room.info.title == "New"


def test_an_event_that_is_read_again_later_does_not_undo_what_came_after_it() -> None:
    room = standing(1, member(ADA))
    for heard in (joined(2), left(3), joined(2)):
        room.hear(heard)
    assert set(room.members) == {"a"}


def test_an_heir_becomes_the_owner() -> None:
    room = standing(2, member(ADA, Role.OWNER), member(BOB))
    room.hear(left(3, ADA, new_owner=BOB.id))
    assert room.members == {"b": member(BOB, Role.OWNER)}


def test_who_comes_back_has_read_to_where_the_event_says() -> None:
    room = standing(2, member(ADA))
    room.hear(joined(3, read_seq=1))
    assert (room.members["b"].read_seq, room.members["b"].online) == (1, False)
