"""The bot that repeats: for trying things out, and for tests that must know the answer."""

from collections.abc import AsyncIterator

from chatserver.bots.pace import word_by_word
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import ReplyContext


class EchoBot:
    """`chat.ports.Bot`."""

    info = BotInfo(name="echo", description="says what you said")

    def __init__(self, words_per_second: float) -> None:
        self._pace = words_per_second

    def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        return word_by_word(context.prompt.data["text"], self._pace)
