"""Frames between instances: a header of fixed length, and mostly an encoded Socket.IO packet.

Anything else in a body is JSON. `unpack` raises `ValueError` for what is no frame.
"""

import secrets
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

ORIGIN_BYTES = 8
HEADER = Struct(f"!BB{ORIGIN_BYTES}sQ")
"""Kind, type of event, instance that sent it, number."""

BODY_BYTES = 32_768
"""Longer packets of durable events stay at home: the number alone is told."""


class Kind(IntEnum):
    EVENT = 1
    """A durable event: its seq, its packet (or nothing, where that is long)."""
    SIGNAL = 2
    """An ephemeral event of a session, to be shown after the event of this seq (0: any time)."""
    NOTE = 3
    """A packet for all connections of a participant."""
    CLOSED = 4
    """The session is gone."""
    HERE = 5
    """Who came to and who left a room, on the sending instance."""
    ASK = 6
    """Who is in the room, and which replies run?"""
    ANSWER = 7
    """To the instance whose origin is the number."""
    BEAT = 8
    BYE = 9
    TOKEN = 10
    """Became worthless; the body is its digest."""
    PROMPTS = 11
    """So many new replies wait for a worker."""
    STOP = 12
    """The reply whose id is the body is to look at its stop mark."""
    LOOK = 13
    """Much was lost: compare everything with the store."""


class Frame(NamedTuple):
    kind: int
    type: int
    origin: bytes
    number: int
    body: bytes


def new_origin() -> bytes:
    """A name for this instance, for as long as it runs."""
    return secrets.token_bytes(ORIGIN_BYTES)


def as_number(origin: bytes) -> int:
    return int.from_bytes(origin, "big")


def pack(kind: Kind, origin: bytes, number: int = 0, body: bytes = b"", type_: int = 0) -> bytes:
    return HEADER.pack(kind, type_, origin, number) + body


def is_from(origin: bytes, frame: bytes) -> bool:
    """Whether this instance sent it; far cheaper than unpacking."""
    return frame[2 : 2 + ORIGIN_BYTES] == origin


def unpack(frame: bytes) -> Frame:
    if len(frame) < HEADER.size:
        raise ValueError("too short for a frame")
    return Frame._make((*HEADER.unpack_from(frame), frame[HEADER.size :]))
