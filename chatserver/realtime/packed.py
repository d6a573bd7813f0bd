"""A durable event together with the packet that carries it to clients."""

from typing import Any

from chatserver.chat.models import Event, EventType, Participant
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.manager import NAMESPACE, packet_of

TYPES = tuple(EventType)
"""By their number in frames. New types go to the end: instances of two releases may share a bus."""
NUMBERS = {type_: number for number, type_ in enumerate(TYPES)}

UNREADABLE = (ValueError, LookupError)
"""What may come of looking closely at an event that another release told."""


class PackedEvent:
    """Looks like the event; is decoded only for those who look closely.

    An event that came from another instance as a packet is handed on as it is.
    """

    __slots__ = ("_event", "packet", "seq", "session_id", "text", "type")

    def __init__(
        self, session_id: str, seq: int, type_: EventType, text: bytes, event: Event | None = None
    ) -> None:
        self.session_id = session_id
        self.seq = seq
        self.type = type_
        self.text = text
        self.packet = Outgoing.message(text.decode())
        self._event = event

    @classmethod
    def of(cls, event: Event) -> "PackedEvent":
        text = packet_of(event.type, event).encode()
        return cls(event.session_id, event.seq, event.type, text, event)

    @property
    def event(self) -> Event:
        """Raises `ValueError` for a packet that holds no event."""
        if self._event is None:
            start = f'2{NAMESPACE},["{self.type}",'
            self._event = Event.model_validate_json(self.text[len(start) : -1])
        return self._event

    @property
    def sender(self) -> Participant:
        return self.event.sender

    @property
    def data(self) -> dict[str, Any]:
        return self.event.data


Heard = Event | PackedEvent


def event_of(heard: Heard) -> Event:
    return heard.event if isinstance(heard, PackedEvent) else heard
