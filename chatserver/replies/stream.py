"""A reply's text as it grows, told to the room by offsets."""

import asyncio

from chatserver.chat.events import ReplyDelta
from chatserver.chat.models import Reply
from chatserver.chat.ports import Feed

COALESCE_SECONDS = 0.05
EARLY_SECONDS = 0.01
"""Text that comes so shortly before its time leaves at once, rather than wake the process again."""


class ReplyStream:
    """A piece leaves at once, unless another left in the last 50 ms: then with all until those end.

    Offsets count Unicode code points, which is what Python's `len` counts.
    """

    def __init__(self, reply: Reply, feed: Feed, max_chars: int) -> None:
        self._reply = reply
        self._feed = feed
        self._room = max_chars
        self._sent = 0
        self._sent_at = -COALESCE_SECONDS
        self._parts: list[str] = []
        self._unsent: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def full(self) -> bool:
        return self._room == 0

    def push(self, piece: str) -> None:
        """Adds text; what goes beyond the longest allowed reply is cut off."""
        piece = _storable(piece)[: self._room]
        if not piece:
            return
        self._room -= len(piece)
        self._parts.append(piece)
        self._unsent.append(piece)
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        due = self._sent_at + COALESCE_SECONDS
        if loop.time() >= due - EARLY_SECONDS:
            self.flush()
        else:
            self._timer = loop.call_at(due, self.flush)

    def flush(self) -> None:
        """Sends what waits."""
        self.close()
        text = "".join(self._unsent)
        if not text:
            return
        self._unsent.clear()
        delta = ReplyDelta(
            session_id=self._reply.session_id,
            reply_id=self._reply.reply_id,
            attempt=self._reply.attempt,
            offset=self._sent,
            text=text,
        )
        self._sent += len(text)
        self._sent_at = asyncio.get_running_loop().time()
        self._feed.signal(self._reply.session_id, delta)

    def close(self) -> None:
        """Sends nothing more by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _storable(piece: str) -> str:
    # A model may say anything; neither NUL nor half a surrogate pair can be stored or sent.
    return piece.replace("\x00", "").encode("utf-8", "ignore").decode()
