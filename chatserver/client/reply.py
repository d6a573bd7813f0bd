"""A reply to iterate over."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from chatserver.chat.models import Event
from chatserver.client.errors import ConnectionLost
from chatserver.client.replies import GrowingReply, Replies


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a reply from `offset` (in code points) on. 0 again: the reply began anew."""

    offset: int
    text: str


class ReplyStream:
    """A reply to iterate over while it grows.

    The pieces, put together from the last one with offset 0 on, are the reply's final text exactly.
    The iteration ends with the reply; afterwards `message` is its Event (None where it was stopped
    before it said anything). Raises `ReplyFailed` where the bot could not answer, TimeoutError
    after `timeout` seconds without a new piece, and what ended the session or the client. A wait
    that was cancelled or timed out may be repeated.
    """

    def __init__(
        self,
        replies: Replies,
        look_up: Callable[[int, str | None, str | None], Awaitable[None]],
        check: Callable[[], None],
        *,
        prompt_seq: int,
        reply_id: str | None,
        bot: str | None,
        timeout: float,
    ) -> None:
        self._replies = replies
        self._look_up = look_up
        self._check = check
        self._prompt_seq = prompt_seq
        self._reply_id = reply_id
        self._bot = bot
        self._timeout = timeout
        self._shown = 0
        self._rewritten = 0
        self._interrupted = -1
        self._followed: GrowingReply | None = None

    @property
    def reply_id(self) -> str | None:
        """Known once the bot began."""
        found = self._found
        return found.reply_id if found else None

    @property
    def text(self) -> str:
        """All of it so far."""
        found = self._found
        return found.text if found else ""

    @property
    def message(self) -> Event | None:
        """The stored message, once the reply has ended with one."""
        found = self._found
        return found.message if found else None

    @property
    def stopped(self) -> bool:
        """Whether somebody cut it short."""
        found = self._found
        return found is not None and found.stopped

    async def wait(self) -> Event | None:
        """Waits for the end, without looking at the pieces. Raises like the iteration."""
        async for _ in self:
            pass
        return self.message

    def __aiter__(self) -> "ReplyStream":
        return self

    async def __anext__(self) -> Piece:
        async with asyncio.timeout(self._timeout):
            return await self._next()

    async def _next(self) -> Piece:
        while True:
            changed = self._replies.changed
            found = self._found
            if found is not None:
                if piece := self._new(found):
                    return piece
                if found.failure is not None:
                    raise found.failure
                if found.ended:
                    raise StopAsyncIteration
            self._check()
            interrupted = self._replies.interrupted
            heard_now = self._interrupted < 0 and found is not None
            if interrupted == self._interrupted or heard_now:
                self._interrupted = interrupted
                await changed.wait()
                continue
            # An outage in between is waited for like silence; then it is asked again.
            with suppress(ConnectionLost):
                await self._look_up(self._prompt_seq, self._reply_id, self._bot)
                self._interrupted = interrupted

    def _new(self, found: GrowingReply) -> Piece | None:
        if found.rewritten != self._rewritten:
            self._rewritten = found.rewritten
            self._shown = 0
        if len(found.text) == self._shown:
            return None
        piece = Piece(self._shown, found.text[self._shown :])
        self._shown = len(found.text)
        return piece

    @property
    def _found(self) -> GrowingReply | None:
        found = self._replies.find(self._prompt_seq, self._reply_id, self._bot)
        if found is not None:
            # A retry has the same prompt; this stream stays with the reply it began with.
            self._reply_id = found.reply_id
            self._followed = found
        # It may be forgotten by the session before somebody takes its last pieces from here.
        return self._followed
