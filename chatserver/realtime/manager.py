"""Rooms and fan-out, in the place of python-socketio's manager."""

from collections.abc import Collection, Hashable, Iterator
from typing import Any

from socketio import AsyncManager
from socketio.packet import EVENT
from socketio.packet import Packet as SocketPacket

from chatserver.chat.models import Model
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.members import Member, Members, Phase, Receiver

NAMESPACE = "/chat"


class TextPacket(SocketPacket):  # type: ignore[misc]  # python-socketio is untyped
    """Nothing we send is binary: spares looking for bytes in all data, a tenth of a send."""

    uses_binary_events = False


def packet_of(event: str, payload: Model) -> str:
    """An event as the Socket.IO packet that carries it."""
    return f'2{NAMESPACE},["{event}",{payload.encoded.decode()}]'


class RoomManager(AsyncManager):  # type: ignore[misc]  # python-socketio is untyped
    """A room costs what its members cost, to send to and to leave.

    The stock manager makes a task for each receiver of an emit (through which a later packet could
    overtake), and looks through all rooms for each that disconnects.
    """

    def __init__(self) -> None:
        super().__init__()
        self._members = Members()
        self.rooms = self._members.rooms

    # --- sending -------------------------------------------------------------------------------

    def broadcast(self, room: str | None, event: str, payload: Model) -> int:
        """Sends to everyone in `room` (None: in the namespace); returns to how many.

        A member with too much unsent is cut off instead, and will recover by seq.
        """
        if not self._members.room(NAMESPACE, room):
            return 0
        return self.fan_out(NAMESPACE, room, Outgoing.message(packet_of(event, payload)))

    def fan_out(
        self, namespace: str, room: Hashable, packet: Outgoing, skip: Collection[str] = ()
    ) -> int:
        """The one place through which packets for rooms go; returns how many members took it.

        When it returns every member has the packet behind all that was sent to it before.
        """
        members = self._members.room(namespace, room)
        if not members:
            member = self._members.get(room) if isinstance(room, str) else None
            if member is not None and member.phase is Phase.CONNECTING:
                # In this order the client hears that it is connected before it hears more.
                member.held.append(packet)
            return 0
        if skip:
            return sum(each.send(packet) for sid, each in members.items() if sid not in skip)
        return sum([each.send(packet) for each in members.values()])

    def is_crowded(self, room: str) -> bool:
        """Whether somebody in the room has much unsent, and could be cut off for more."""
        members = self._members.room(NAMESPACE, room)
        return any(each.is_crowded for each in members.values())

    def send(self, sid: str, event: str, payload: Model) -> int:
        """Sends to one connection. (Every connection is alone in the room of its own sid.)"""
        return self.broadcast(sid, event, payload)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """As python-socketio documents it, except that one emit goes to one room."""
        room = to or room
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        skip = skip_sid if isinstance(skip_sid, list) else [skip_sid] if skip_sid else []
        number = self._generate_ack_id(room, callback) if callback is not None else None
        packet = self.server.packet_class(
            EVENT, namespace=namespace, data=[event, *arguments], id=number
        )
        encoded = packet.encode()
        for part in encoded if isinstance(encoded, list) else [encoded]:
            self.fan_out(namespace, room, Outgoing.message(part), skip)

    # --- coming and going ----------------------------------------------------------------------

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """The sid of a new member that is in no room yet; None: it is connected already."""
        connection = self.server.eio.sockets.get(eio_sid)
        if connection is None or self.member_of(eio_sid, namespace) is not None:
            return None
        member = Member(self.server.eio.generate_id(), namespace, connection)
        self._members.add(member)
        return member.sid

    async def connect(self, sid: str, namespace: str) -> str:
        member = self._members.get(sid)
        if member is not None:
            self._members.connect(member)
        return sid

    def add(self, receiver: Receiver) -> None:
        """A member of the namespace that did not come over Socket.IO, connected under its sid."""
        member = Member(receiver.sid, NAMESPACE, receiver)
        self._members.add(member)
        self._members.connect(member)

    def is_pre_connected(self, sid: str | None, namespace: str) -> bool:
        return self._is(sid, namespace, Phase.CONNECTING)

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        return self._is(sid, namespace, Phase.CONNECTED)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        member = self._members.get(sid)
        if member is None:
            return None
        member.phase = Phase.LEAVING
        return member.connection.sid

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        member = self._members.get(sid)
        if member is not None:
            self._members.remove(member)
        self.callbacks.pop(sid, None)

    def member_of(self, eio_sid: str, namespace: str) -> Member | None:
        """Who a connection is in a namespace."""
        return self._members.of(eio_sid, namespace)

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        member = self.member_of(eio_sid, namespace)
        return member.sid if member is not None else None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        member = self._members.get(sid)
        return member.connection.sid if member is not None else None

    # --- rooms ---------------------------------------------------------------------------------

    def basic_enter_room(
        self, sid: str, namespace: str, room: Hashable, eio_sid: str | None = None
    ) -> None:
        """Raises `ValueError` for a sid that is not in the namespace, and for another's own room.

        Who is still connecting enters once connected.
        """
        member = self._members.get(sid)
        if member is None or member.namespace != namespace:
            raise ValueError("sid is not connected to requested namespace")
        if room != sid and isinstance(room, str) and room in self._members:
            raise ValueError("cannot enter a sid room")
        self._members.enter(member, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Hashable) -> None:
        member = self._members.get(sid)
        if member is not None:
            self._members.leave(member, room)

    def basic_close_room(self, room: Hashable, namespace: str) -> None:
        for sid in list(self._members.room(namespace, room)):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Hashable]:
        member = self._members.get(sid)
        return [room for room in member.rooms if room is not None] if member is not None else []

    def get_participants(self, namespace: str, room: Hashable) -> Iterator[tuple[str, str]]:
        for sid, connection in list(self._members.room(namespace, room).items()):
            yield sid, connection.sid

    def namespaces_of(self, eio_sid: str) -> list[str]:
        """Those that a connection is in."""
        return self._members.namespaces(eio_sid)

    def expects_ack(self, sid: str | None, number: int) -> bool:
        """Of number 0 the stock manager keeps its own counter, which an ack would take away."""
        return number > 0 and number in self.callbacks.get(sid, ())

    def _is(self, sid: str | None, namespace: str, phase: Phase) -> bool:
        member = self._members.get(sid)
        return member is not None and member.namespace == namespace and member.phase is phase
