"""Bots that say what their test needs."""

from collections.abc import AsyncIterator

from chatserver.chat.models import BotInfo
from chatserver.chat.ports import ReplyContext


class SayingBot:
    """Always says the same."""

    def __init__(self, name: str, text: str = "hello") -> None:
        self.info = BotInfo(name=name, description="says the same again")
        self._text = text

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        yield self._text
