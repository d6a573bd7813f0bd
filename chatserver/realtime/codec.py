"""JSON for Socket.IO packets: orjson behind python-socketio's `json=` hook.

Decoding raises `ValueError` for what is not JSON (NaN included) and for numbers beyond all floats;
integers beyond 64 bits are read as the nearest float, as JavaScript does. An event that is JSON but
nested beyond the limit is read as its name and a `TooDeep`, so that it can be answered. Encoding
writes NaN as null and models in their own JSON form, and raises `TypeError` for integers beyond 64
bits and half surrogate pairs.
"""

import json
import re
from math import isinf
from typing import Any, Final

import orjson

from chatserver.chat.models import Model

EVENT_NAME = re.compile(r'\s*\[\s*("(?:[^"\\]|\\.)*")\s*,')


class TooDeep:
    """Stands for a payload that was not read because of its nesting."""


TOO_DEEP: Final = TooDeep()


class Codec:
    """Looks like the `json` module, as far as python-socketio looks."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth

    def dumps(self, value: Any, separators: tuple[str, str] | None = None, **_: Any) -> str:
        return orjson.dumps(value, default=_model).decode()

    def loads(self, text: str | bytes, **_: Any) -> Any:
        if isinstance(text, bytes):
            text = text.decode()
        # Counting is fast and almost always enough: only many brackets can be deep ones.
        if text.count("[") + text.count("{") > self._max_depth and depth(text) > self._max_depth:
            name = EVENT_NAME.match(text)
            if name is None:
                raise ValueError("nested too deeply")
            return [json.loads(name[1]), TOO_DEEP]
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            # Half a surrogate pair is JSON all the same; the payload's own checks refuse it.
            return json.loads(text, parse_constant=_refuse, parse_int=_integer, parse_float=_finite)


def _model(value: Any) -> orjson.Fragment:
    if isinstance(value, Model):
        return orjson.Fragment(value.encoded)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _integer(digits: str) -> float:
    """As orjson reads it: exactly within 64 bits, beyond as the nearest float."""
    nearest = _finite(digits)
    if -(2**63) <= nearest <= 2**64:
        exact = int(digits)
        if -(2**63) <= exact < 2**64:
            return exact
    return nearest


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number beyond all floats")
    return number


def depth(text: str) -> int:
    """How deep the brackets of a JSON text are nested, those in strings aside."""
    deepest = level = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest
