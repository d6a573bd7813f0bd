"""When an AI speaks: `seconds` or `lines`, and n of them. Pure."""

import math
import re
from dataclasses import dataclass

MOST_SECONDS = 30 * 24 * 3600.0


class NotAMode(ValueError):
    """The n cannot be one of that mode."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Something new every n seconds."""

    n: float


@dataclass(frozen=True, slots=True)
class Lines:
    """An answer after every n lines of people."""

    n: int


Mode = Seconds | Lines


def parse_mode(name: str, n: str) -> Mode:
    """Raises `NotAMode`, in words for whoever typed it."""
    if name == "lines":
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", n, re.ASCII):
            raise NotAMode(f"{n!r} is no whole number of lines such as 3")
        return Lines(int(n))
    try:
        seconds = float(n) if n.isascii() else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MOST_SECONDS:
        raise NotAMode(f"{n!r} is no number of seconds such as 30 or 0.5")
    return Seconds(seconds)
