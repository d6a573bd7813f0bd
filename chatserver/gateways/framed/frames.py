"""One message as one binary frame: the length of its UTF-8 bytes, then those. Pure functions.

The length has four bytes, unsigned, the lowest first, and does not count itself.
"""

import struct

HEADER = struct.Struct("<I")


class WrongLength(ValueError):
    """The frame holds more or less than its header says, or not even a header."""


class NotUtf8(ValueError):
    """The payload is no text."""


def encode(text: str) -> bytes:
    payload = text.encode()
    return HEADER.pack(len(payload)) + payload


def decode(frame: bytes) -> str:
    """Raises `WrongLength`, `NotUtf8`."""
    if len(frame) < HEADER.size:
        raise WrongLength("the frame is shorter than its header")
    (length,) = HEADER.unpack_from(frame)
    payload = frame[HEADER.size :]
    if length != len(payload):
        raise WrongLength("the length is not that of the payload")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise NotUtf8("the payload is not UTF-8") from None
