"""What waits for a connection that takes what it hears by itself."""

import asyncio
from collections import deque
from collections.abc import Callable

from chatserver.chat.errors import ChatError, Draining, SlowConsumer
from chatserver.realtime.engine.outgoing import Outgoing


class Inbox:
    """A `members.Receiver`. Holds at most `max_unsent` bytes; whoever takes too slowly is cut off,

    and recovers by seq, as with any other connection.
    """

    def __init__(self, sid: str, max_unsent: int, cut_off: Callable[[str], object]) -> None:
        self.sid = sid
        self.ended: asyncio.Future[ChatError] = asyncio.get_running_loop().create_future()
        self._max_unsent = max_unsent
        self._cut_off = cut_off
        self._waiting: deque[Outgoing] = deque()
        self._unsent = 0
        self._arrived = asyncio.Event()

    @property
    def is_crowded(self) -> bool:
        return self._unsent > self._max_unsent // 4

    def send(self, packet: Outgoing, /) -> bool:
        if self.ended.done():
            return False
        if self._unsent > self._max_unsent:
            self._cut_off(self.sid)
            self.end(
                SlowConsumer("too much waited unread; come back and go on from where you were")
            )
            return False
        self._waiting.append(packet)
        self._unsent += len(packet.frame)
        self._arrived.set()
        return True

    def end(self, reason: ChatError) -> None:
        """Nothing more comes in. What waits may still be taken if the server drains."""
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if not isinstance(reason, Draining):
            self._waiting.clear()
        self._arrived.set()

    async def take(self) -> Outgoing:
        """The next one, as soon as there is one. Raises why there will be none."""
        while not self._waiting:
            if self.ended.done():
                raise self.ended.result()
            self._arrived.clear()
            await self._arrived.wait()
        packet = self._waiting.popleft()
        self._unsent -= len(packet.frame)
        return packet
