"""The bot whose key is missing: it is there, and says so."""

from typing import NoReturn

from chatserver.chat.models import BotInfo
from chatserver.chat.ports import BotError, ReplyContext


class UnconfiguredBot:
    """`bots.model.ModelBot` in place of one whose variable `variable` holds no key."""

    def __init__(self, info: BotInfo, variable: str) -> None:
        self.info = info
        self.variable = variable

    def reply(self, context: ReplyContext) -> NoReturn:
        raise BotError(
            "bot_not_configured",
            f"The bot {self.info.name} cannot answer: this server has no key for its model.",
            retryable=False,
        )

    async def check(self) -> None:
        """Always raises `BotError`: for the operator, who is told the variable."""
        raise BotError("bot_not_configured", f"{self.variable} is not set", retryable=False)

    async def close(self) -> None:
        """There is nothing to let go of."""
