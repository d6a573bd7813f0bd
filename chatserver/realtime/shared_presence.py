"""Who is in which room, here or on other instances."""

from collections.abc import Callable, Iterable

from chatserver.chat.models import Participant
from chatserver.realtime.presence import Emit, Presence

Announce = Callable[[str, list[Participant], list[str]], None]
"""Tells the other instances who came to a session here, and the ids of who left."""


class SharedPresence(Presence):
    """The union of what each instance says of its own; told as it changes, once for each person."""

    def __init__(self, emit: Emit, announce: Announce) -> None:
        super().__init__(emit)
        self._announce = announce
        self._own: dict[str, dict[str, Participant]] = {}
        self._elsewhere: dict[str, dict[bytes, dict[str, Participant]]] = {}

    def enter(self, session_id: str, who: Participant) -> None:
        if not self._count(session_id, who):
            return
        self._own.setdefault(session_id, {})[who.id] = who
        self._announce(session_id, [who], [])
        if not self._is_elsewhere(session_id, who.id):
            self._tell(session_id, who, online=True)

    def exit(self, session_id: str, who: Participant) -> None:
        if not self._uncount(session_id, who):
            return
        own = self._own[session_id]
        del own[who.id]
        if not own:
            del self._own[session_id]
        self._announce(session_id, [], [who.id])
        if not self._is_elsewhere(session_id, who.id):
            self._tell(session_id, who, online=False)

    def online(self, session_id: str) -> frozenset[str]:
        return super().online(session_id).union(*self._elsewhere.get(session_id, {}).values())

    def own(self, session_id: str) -> list[Participant]:
        """Those whose connections are here."""
        return list(self._own.get(session_id, {}).values())

    # --- what other instances say ----------------------------------------------------------------

    def came(self, session_id: str, origin: bytes, people: Iterable[Participant]) -> None:
        there = self._elsewhere.setdefault(session_id, {}).setdefault(origin, {})
        for who in people:
            is_new = who.id not in self.online(session_id)
            there[who.id] = who
            if is_new:
                self._tell(session_id, who, online=True)

    def left(self, session_id: str, origin: bytes, ids: Iterable[str]) -> list[Participant]:
        """Returns those who are now nowhere."""
        offline = []
        origins = self._elsewhere.get(session_id, {})
        there = origins.get(origin, {})
        for participant_id in list(ids):
            who = there.pop(participant_id, None)
            if who is not None and participant_id not in self.online(session_id):
                self._tell(session_id, who, online=False)
                offline.append(who)
        if not there and origins.pop(origin, None) is not None and not origins:
            del self._elsewhere[session_id]
        return offline

    def are(self, session_id: str, origin: bytes, people: list[Participant]) -> None:
        """These and nobody else."""
        there = self._elsewhere.get(session_id, {}).get(origin, {})
        still = {who.id for who in people}
        self.came(session_id, origin, people)
        self.left(session_id, origin, [each for each in there if each not in still])

    def gone(self, origin: bytes) -> None:
        """The instance, with all its people."""
        for session_id, origins in list(self._elsewhere.items()):
            self.left(session_id, origin, list(origins.get(origin, ())))

    def forget(self, session_id: str) -> None:
        """What others say of a session that is not hosted here any more."""
        self._elsewhere.pop(session_id, None)

    def _is_elsewhere(self, session_id: str, participant_id: str) -> bool:
        origins = self._elsewhere.get(session_id, {})
        return any(participant_id in there for there in origins.values())
