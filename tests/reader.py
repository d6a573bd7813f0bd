"""Somebody who reads a reply while it is being said, and counts the characters."""

import asyncio

from chatserver.chat.models import Event
from chatserver.client import ReplyStream
from tests.waiting import PATIENCE, eventually


class Reader:
    """Reads a reply as it grows; fails at the first character that is not the next one.

    Each attempt at the reply has a text of `tellings`; one may go unseen.
    """

    def __init__(self, stream: ReplyStream, *tellings: str) -> None:
        self.text = ""
        self._stream = stream
        self._tellings = tellings
        self._reading = asyncio.create_task(self._read())

    async def reads(self, words: str) -> None:
        """Waits until they are there."""
        await eventually(lambda: words in self.text or self._reading.done(), what=words)
        assert words in self.text, await self.message()

    async def message(self) -> Event:
        """Waits for the end. Raises as `ReplyStream` does."""
        message = await asyncio.wait_for(self._reading, 2 * PATIENCE)
        assert message is not None
        return message

    async def _read(self) -> Event | None:
        left = list(self._tellings)
        async for piece in self._stream:
            if piece.offset == 0:
                self.text = ""
                while left and not left[0].startswith(piece.text):
                    del left[0]
            assert piece.offset == len(self.text)
            self.text += piece.text
            assert left, "it began anew, with what no attempt said"
            assert left[0].startswith(self.text)
        return self._stream.message
