"""Brings what a joiner starts from up to date with events that came after it was read."""

from collections.abc import Sequence

from chatserver.chat.commands import Joined
from chatserver.chat.events import ParticipantJoined, ParticipantLeft, SessionUpdated
from chatserver.chat.models import Event, EventType, Member, Role, Session


def brought_up(snapshot: Joined, missed: Sequence[Event]) -> Joined:
    """The snapshot as of the last of `missed`, the events that follow `snapshot.to_seq`.

    Who is online, and the replies, are the caller's to fill in.
    """
    if not missed:
        return snapshot
    session = snapshot.session
    members = {member.participant.id: member for member in snapshot.members}
    for event in missed:
        match event.type:
            case EventType.SESSION_UPDATED:
                session = _updated(session, SessionUpdated.model_validate(event.data))
            case EventType.PARTICIPANT_JOINED:
                _join(members, event, ParticipantJoined.model_validate(event.data))
            case EventType.PARTICIPANT_LEFT:
                _leave(members, ParticipantLeft.model_validate(event.data))
    events = [*snapshot.events, *missed]
    return snapshot.model_copy(
        update={
            "session": session.model_copy(update={"last_seq": missed[-1].seq}),
            "members": sorted(members.values(), key=lambda m: (m.joined_at, m.participant.id)),
            "events": events,
            "from_seq": events[0].seq,
            "to_seq": missed[-1].seq,
        }
    )


def _updated(session: Session, settings: SessionUpdated) -> Session:
    return session.model_copy(update=dict(settings))


def _join(members: dict[str, Member], event: Event, joined: ParticipantJoined) -> None:
    members[joined.participant.id] = Member(
        participant=joined.participant,
        role=joined.role,
        joined_at=event.created_at,
        read_seq=joined.read_seq or 0,
    )


def _leave(members: dict[str, Member], left: ParticipantLeft) -> None:
    members.pop(left.participant.id, None)
    if left.new_owner in members:
        heir = members[left.new_owner]
        members[left.new_owner] = heir.model_copy(update={"role": Role.OWNER})
