"""One Engine.IO session: where its packets go now, and those that wait."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from chatserver.realtime.engine.cork import Cork
from chatserver.realtime.engine.outgoing import NOOP, Outgoing


class Wire(Protocol):
    """The part of an asyncio transport that is needed."""

    def write(self, data: bytes, /) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def get_extra_info(self, name: str, default: Any = None, /) -> Any: ...


POLLED_PACKETS = 16
"""The answer to a poll holds no more: python-engineio's client gives up on one that does."""


NO_ANSWER = ("", "")


class PolledTwice(Exception):
    """A second poll while one is open: the session cannot go on."""


class Connection:
    """Polling until it has a `wire` (a WebSocket's transport); at the end, closed.

    Everything sent leaves in the order of `send`, through one buffer: polling takes it when it
    polls, the wire at the end of the event loop's turn.
    """

    __slots__ = (
        "_buffer",
        "_cork",
        "_deflates",
        "_max_unsent",
        "_overflow",
        "_poll",
        "_unsent",
        "address",
        "answered",
        "busy",
        "candidate",
        "closed",
        "ended_by_client",
        "environ",
        "posting",
        "probing",
        "session",
        "sid",
        "wire",
    )

    def __init__(
        self,
        sid: str,
        address: str,
        max_unsent: int,
        cork: Cork,
        overflow: "Callable[[Connection], object]",
    ) -> None:
        self.sid = sid
        self.address = address
        self.environ: dict[str, Any] = {}
        self.session: dict[str, Any] = {}
        self.closed = False
        self.answered = NO_ANSWER
        """The mark of the last poll, and what it was answered with."""
        self.busy = False
        """A message of its client is being dealt with; what comes after it is not read yet."""
        self.ended_by_client = False
        self.wire: Wire | None = None
        self.candidate: Wire | None = None
        """The transport of a WebSocket that wants to take over."""
        self.probing = False
        """It is about to: polls are answered at once, so that it can."""
        self.posting = False
        """A request that hands in packets is under way."""
        self._deflates = 0
        self._max_unsent = max_unsent
        self._cork = cork
        self._overflow = overflow
        """Called instead of sending once more than `max_unsent` bytes wait, to close it."""
        self._buffer: list[Outgoing] = []
        self._unsent = 0
        self._poll: asyncio.Future[None] | None = None

    @property
    def transport(self) -> str:
        return "polling" if self.wire is None else "websocket"

    @property
    def is_polled(self) -> bool:
        return self._poll is not None

    def send(self, packet: Outgoing) -> bool:
        """Whether it was taken. Too much unsent calls `overflow`, which is expected to close."""
        if self._unsent > self._max_unsent and not self.closed:
            if self.wire is None:
                self._overflow(self)
            else:
                self.flush()  # what is gathered in one turn says nothing about who reads it
        if self.closed or self._unsent > self._max_unsent:
            return False
        self._unsent += len(packet.frame)
        self._buffer.append(packet)
        if self.wire is None:
            self._wake()
        elif len(self._buffer) == 1:
            self._cork.add(self)
        return True

    def flush(self) -> None:
        """Writes what waits to the wire, all in one."""
        wire = self.wire
        if wire is None or not self._buffer:
            return
        is_stuck = wire.get_write_buffer_size() > self._max_unsent
        if is_stuck and not self.closed:
            self._overflow(self)
            return
        waiting = self._drain()
        if is_stuck or wire.is_closing():
            return
        if self._deflates:
            frames = [packet.deflated(self._deflates) for packet in waiting]
        else:
            frames = [packet.frame for packet in waiting]
        wire.write(frames[0] if len(frames) == 1 else b"".join(frames))

    async def poll(self) -> list[Outgoing]:
        """What waits, as soon as something does; after the end what was still to be said, if any.

        At most `POLLED_PACKETS`. Raises `PolledTwice`.
        """
        if self._poll is not None:
            raise PolledTwice
        if not (self._buffer or self.closed or self.probing):
            self._poll = asyncio.get_running_loop().create_future()
            try:
                await self._poll
            finally:
                self._poll = None
        taken, self._buffer = self._buffer[:POLLED_PACKETS], self._buffer[POLLED_PACKETS:]
        self._unsent -= sum([len(packet.frame) for packet in taken])
        return taken or ([] if self.closed else [NOOP])

    @property
    def is_crowded(self) -> bool:
        """More than a quarter waits of what may."""
        waiting = self._unsent + (self.wire.get_write_buffer_size() if self.wire else 0)
        return waiting > self._max_unsent // 4

    @property
    def is_empty(self) -> bool:
        """Nothing waits to be sent."""
        return not self._buffer

    def probe(self) -> None:
        """Ends the open poll, so that none is under way when the WebSocket takes over."""
        self.probing = True
        self._wake()

    def keep_polling(self) -> None:
        """The candidate failed."""
        self.candidate = None
        self.probing = False

    def upgrade(self, wire: Wire, deflates: int = 0) -> None:
        """From here on packets go to the wire, those that waited first.

        `deflates`: it takes frames of so many bytes or more compressed; 0: none.
        """
        self.wire = wire
        self.answered = NO_ANSWER
        self._deflates = deflates
        self.candidate = None
        self.probing = False
        self.flush()
        self._wake()

    def finish(self, last: Outgoing | None, *, is_cut: bool = False) -> None:
        """Nothing can be sent any more, and with `is_cut` what waits is dropped.

        Otherwise a wire gets it now; in polling it can still be polled, and `last` after it, unless
        that is None.
        """
        self.closed = True
        self.probing = False
        if self.wire is not None and not is_cut:
            self.flush()
        elif self.wire is None and last is not None and not is_cut:
            self._buffer.append(last)
            self._unsent += len(last.frame)
        else:
            self._drain()
        self._wake()

    def _drain(self) -> list[Outgoing]:
        waiting, self._buffer, self._unsent = self._buffer, [], 0
        return waiting

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
