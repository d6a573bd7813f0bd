"""JSON for Socket.IO packets: orjson behind python-socketio's `json=` hook.

Decoding raises `ValueError` for what is not JSON (NaN and lone surrogates included) and for nesting
beyond the limit. Encoding writes NaN as null.
"""

from typing import Any

import orjson


class Codec:
    """Looks like the `json` module, as far as python-socketio looks."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth

    def dumps(self, value: Any, separators: tuple[str, str] | None = None, **_: Any) -> str:
        return orjson.dumps(value).decode()

    def loads(self, text: str | bytes, **_: Any) -> Any:
        if isinstance(text, bytes):
            text = text.decode()
        # Counting is fast and almost always enough: only many brackets can be deep ones.
        if text.count("[") + text.count("{") > self._max_depth and depth(text) > self._max_depth:
            raise ValueError("nested too deeply")
        return orjson.loads(text)


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
