"""Who is connected to which Socket.IO namespace, and in which rooms."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from chatserver.realtime.engine.outgoing import Outgoing


class Receiver(Protocol):
    """Where packets for a member go."""

    @property
    def sid(self) -> str:
        """Of the connection; its members have sids of their own."""
        ...

    @property
    def is_crowded(self) -> bool:
        """Much waits: it could be cut off for more."""
        ...

    def send(self, packet: Outgoing, /) -> bool:
        """Whether it was taken. All that is taken arrives in this order."""
        ...


class Phase(Enum):
    CONNECTING = auto()
    """Its connect handler runs. It is in no room yet; what is sent to it alone waits."""
    CONNECTED = auto()
    LEAVING = auto()
    """Its disconnect handler runs."""


@dataclass(slots=True, eq=False)
class Member:
    sid: str
    namespace: str
    connection: Receiver
    phase: Phase = Phase.CONNECTING
    rooms: set[Hashable] = field(default_factory=set)
    held: list[Outgoing] = field(default_factory=list)


class Members:
    """Joining and leaving cost the same however many rooms and members there are."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Member] = {}
        self._by_connection: dict[str, dict[str, Member]] = {}
        self.rooms: dict[str, dict[Hashable, dict[str, Receiver]]] = {}
        """`rooms[namespace][room][sid]`; everybody connected is in the rooms None and its sid."""

    def __contains__(self, sid: str) -> bool:
        return sid in self._by_sid

    def get(self, sid: str | None) -> Member | None:
        return self._by_sid.get(sid) if sid is not None else None

    def of(self, engine_id: str, namespace: str) -> Member | None:
        """The member that a connection is in a namespace."""
        return self._by_connection.get(engine_id, {}).get(namespace)

    def namespaces(self, engine_id: str) -> list[str]:
        """Those that a connection is in."""
        return list(self._by_connection.get(engine_id, ()))

    def room(self, namespace: str, room: Hashable) -> dict[str, Receiver]:
        return self.rooms.get(namespace, {}).get(room, {})

    def add(self, member: Member) -> None:
        self._by_sid[member.sid] = member
        self._by_connection.setdefault(member.connection.sid, {})[member.namespace] = member
        member.rooms |= {None, member.sid}

    def connect(self, member: Member) -> None:
        """Enters the rooms, and sends what was held."""
        member.phase = Phase.CONNECTED
        for room in member.rooms:
            self._put(member, room)
        for packet in member.held:
            member.connection.send(packet)
        member.held.clear()

    def remove(self, member: Member) -> None:
        for room in list(member.rooms):
            self.leave(member, room)
        if self._by_sid.pop(member.sid, None) is None:
            return
        of_connection = self._by_connection[member.connection.sid]
        del of_connection[member.namespace]
        if not of_connection:
            del self._by_connection[member.connection.sid]

    def enter(self, member: Member, room: Hashable) -> None:
        member.rooms.add(room)
        if member.phase is not Phase.CONNECTING:
            self._put(member, room)

    def leave(self, member: Member, room: Hashable) -> None:
        member.rooms.discard(room)
        rooms = self.rooms.get(member.namespace, {})
        sids = rooms.get(room, {})
        if sids.pop(member.sid, None) is None or sids:
            return
        del rooms[room]
        if not rooms:
            del self.rooms[member.namespace]

    def _put(self, member: Member, room: Hashable) -> None:
        rooms = self.rooms.setdefault(member.namespace, {})
        rooms.setdefault(room, {})[member.sid] = member.connection
