"""Server-sent events, as far as chat completions use them.

(WHATWG HTML, 9.2.6.) Each JSON object stands on one `data:` line of its own, so a line is used as
it comes, without waiting for the blank one after it. Bytes are split at line feeds only: models
write U+2028 and U+0085, at which `str.splitlines` would break a JSON string in two.
"""

from collections.abc import Iterator

from chatserver.bots.openai.failures import Garbage

LINE_BYTES = 2**20
"""The longest line; a piece of an answer has some hundred bytes."""

_IGNORED = (b"event", b"id", b"retry")


class DataLines:
    """Takes a body in blocks as they come, gives what stands after `data:`."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The data of each line that is whole by now.

        Raises `Garbage` at a line that is neither data nor a comment nor another field of an event
        stream, or that is too long.
        """
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            data = _data(line)
            if data is not None:
                yield data
        if len(self._rest) > LINE_BYTES:
            raise Garbage("a line without end")

    def flush(self) -> Iterator[bytes]:
        """What a body that ended without a line feed left behind."""
        yield from self.feed(b"\n")


def _data(line: bytes) -> bytes | None:
    line = line.rstrip(b"\r")
    field, _, value = line.partition(b":")
    if field == b"data":
        return value.strip()
    if not field.strip() or field in _IGNORED:  # a blank line or a comment
        return None
    raise Garbage("a line of no event stream")
