"""Frames of the framed door: a length, 4 bytes little-endian, then so much UTF-8. Pure."""

import struct

from chatserver.chat.models import Participant, ParticipantKind
from chatserver.cli.ai.line import Line, Speaker, speaker_of

HEADER = struct.Struct("<I")
NOTICES = "Server"
"""The sender of what the server itself says."""


class BadFrame(ValueError):
    """Not a frame of that protocol."""


def encode(text: str) -> bytes:
    payload = text.encode()
    return HEADER.pack(len(payload)) + payload


def decode(frame: bytes) -> str:
    """Raises `BadFrame`."""
    if len(frame) < HEADER.size or HEADER.unpack_from(frame)[0] != len(frame) - HEADER.size:
        raise BadFrame("its length is wrong")
    try:
        return frame[HEADER.size :].decode()
    except UnicodeDecodeError:
        raise BadFrame("it is no UTF-8") from None


def line_of(text: str, number: int, bots: frozenset[str]) -> Line:
    """What `{sender}: {text}` says. `bots` are names that no person has."""
    name, said, rest = text.partition(": ")
    if not said or name == NOTICES:
        notice = Participant(id=NOTICES, name=NOTICES, kind=ParticipantKind.OPERATOR)
        return Line(number, Speaker.NOTICE, notice, rest or text)
    kind = ParticipantKind.BOT if name in bots else ParticipantKind.USER
    sender = Participant(id=f"name:{name}", name=name, kind=kind)
    return Line(number, speaker_of(sender), sender, rest)


def cut(text: str, most: int) -> str:
    """The longest beginning that is at most so many bytes."""
    return text.encode()[:most].decode(errors="ignore")
