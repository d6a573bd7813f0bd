"""What a session is and who is in it, as of the newest that was heard."""

from collections import deque
from typing import Any

from chatserver.chat.commands import Joined
from chatserver.chat.events import ParticipantJoined, ParticipantLeft
from chatserver.chat.models import Event, EventType, Member, Role, Session
from chatserver.client.wire import read

CHANGES = (EventType.PARTICIPANT_JOINED, EventType.PARTICIPANT_LEFT, EventType.SESSION_UPDATED)
RECENT = 200
"""Changes that are remembered, as they may be heard before the ack they come after is read."""


class Standing:
    """The last snapshot, and every change beyond it, once. The log's older ones change nothing."""

    def __init__(self) -> None:
        self.info: Session | None = None
        """None before the first snapshot."""
        self.members: dict[str, Member] = {}
        self._as_of = 0
        self._recent: deque[Event] = deque(maxlen=RECENT)

    def snapshot(self, joined: Joined) -> None:
        self.info = joined.session
        self.members = {member.participant.id: member for member in joined.members}
        self._as_of = joined.to_seq
        for event in self._recent:
            self._take(event)

    def hear(self, event: Event) -> None:
        if event.type in CHANGES and event.seq > self._as_of:
            self._recent.append(event)
            self._take(event)

    def change_member(self, participant_id: str, **change: Any) -> None:
        if member := self.members.get(participant_id):
            self.members[participant_id] = member.model_copy(update=change)

    def _take(self, event: Event) -> None:
        if self.info is None or event.seq <= self._as_of:
            return
        self._as_of = event.seq
        match event.type:
            case EventType.PARTICIPANT_JOINED:
                self._join(event, read(ParticipantJoined, event.data))
            case EventType.PARTICIPANT_LEFT:
                self._leave(read(ParticipantLeft, event.data))
            case EventType.SESSION_UPDATED:
                self.info = read(Session, self.info.model_dump() | event.data)
            case _:
                pass

    def _join(self, event: Event, joined: ParticipantJoined) -> None:
        who = joined.participant
        known = self.members.get(who.id)
        read_seq = joined.read_seq
        if read_seq is None:
            read_seq = known.read_seq if known else 0
        self.members[who.id] = Member(
            participant=who,
            role=joined.role,
            joined_at=event.created_at,
            read_seq=read_seq,
            online=known.online if known else False,
        )

    def _leave(self, left: ParticipantLeft) -> None:
        self.members.pop(left.participant.id, None)
        if left.new_owner is not None:
            self.change_member(left.new_owner, role=Role.OWNER)
