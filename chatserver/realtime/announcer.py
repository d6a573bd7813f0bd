"""What an instance tells the others: each thing said once, as a frame on its channel."""

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

from chatserver.chat.events import Signal
from chatserver.chat.models import Participant
from chatserver.realtime.bus import INSTANCES, Bus, participant_channel, session_channel
from chatserver.realtime.frame import BODY_BYTES, Kind, as_number, pack
from chatserver.realtime.manager import packet_of
from chatserver.realtime.packed import NUMBERS, PackedEvent

EVERYBODY = 1
"""The type of a frame that names all people of the sender's, not only those who came."""


class Announcer:
    """Never waits, never fails. What the others must not miss is kept while Redis is away."""

    def __init__(self, bus: Bus, origin: bytes) -> None:
        self._bus = bus
        self._origin = origin

    # --- sessions --------------------------------------------------------------------------------

    def event(self, packed: PackedEvent) -> None:
        body = packed.text if len(packed.text) <= BODY_BYTES else b""
        frame = pack(Kind.EVENT, self._origin, packed.seq, body, NUMBERS[packed.type])
        self._bus.publish(session_channel(packed.session_id), frame, keep=True)

    def seq(self, session_id: str, seq: int) -> None:
        """The log has so many events."""
        frame = pack(Kind.EVENT, self._origin, seq)
        self._bus.publish(session_channel(session_id), frame, keep=True)

    def signal(self, session_id: str, seq: int, signal: Signal) -> None:
        """To be shown after the event of this seq."""
        body = packet_of(signal.name, signal).encode()
        frame = pack(Kind.SIGNAL, self._origin, seq, body)
        self._bus.publish(session_channel(session_id), frame, keep=False)

    def closed(self, session_id: str) -> None:
        # Lost, it is found by the next look at the store.
        frame = pack(Kind.CLOSED, self._origin)
        self._bus.publish(session_channel(session_id), frame, keep=True)

    def came_and_left(self, session_id: str, came: list[Participant], left: list[str]) -> None:
        frame = pack(Kind.HERE, self._origin, body=_people(came, left))
        self._bus.publish(session_channel(session_id), frame, keep=True)

    def everybody(self, session_id: str, people: Iterable[Participant]) -> "asyncio.Future[int]":
        """All who are here. The result: how many instances it reached, this one included."""
        frame = pack(Kind.HERE, self._origin, body=_people(people, []), type_=EVERYBODY)
        return self._bus.reach(session_channel(session_id), frame)

    def ask(self, session_id: str) -> "asyncio.Future[int]":
        """Who is in the room, and which replies run? The result: see `everybody`."""
        return self._bus.reach(session_channel(session_id), pack(Kind.ASK, self._origin))

    def answer(
        self,
        session_id: str,
        asker: bytes,
        people: Iterable[Participant],
        replies: list[dict[str, Any]],
    ) -> None:
        body = orjson.dumps({"people": [who.wire() for who in people], "replies": replies})
        frame = pack(Kind.ANSWER, self._origin, as_number(asker), body)
        self._bus.publish(session_channel(session_id), frame, keep=False)

    # --- participants and instances --------------------------------------------------------------

    def note(self, participant_id: str, signal: Signal) -> None:
        body = packet_of(signal.name, signal).encode()
        frame = pack(Kind.NOTE, self._origin, body=body)
        self._bus.publish(participant_channel(participant_id), frame, keep=False)

    def token(self, digest: bytes) -> None:
        """It became worthless."""
        frame = pack(Kind.TOKEN, self._origin, body=digest)
        self._bus.publish(INSTANCES, frame, keep=True)

    def beat(self) -> None:
        self._bus.publish(INSTANCES, pack(Kind.BEAT, self._origin), keep=False)

    def bye(self) -> None:
        self._bus.publish(INSTANCES, pack(Kind.BYE, self._origin), keep=False)

    def look(self) -> None:
        """Much was lost: compare everything with the store."""
        self._bus.publish(INSTANCES, pack(Kind.LOOK, self._origin), keep=False)


def _people(came: Iterable[Participant], left: list[str]) -> bytes:
    return orjson.dumps({"came": [who.wire() for who in came], "left": left})
