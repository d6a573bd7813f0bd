"""The bots of this server, by name."""

from collections.abc import Iterable

from chatserver.chat.models import BotInfo
from chatserver.chat.ports import Bot


class UnknownDefaultBot(Exception):
    """The settings name a default bot that does not exist."""


class BotRegistry:
    """`chat.ports.Bots`."""

    def __init__(self, bots: Iterable[Bot], default: str | None) -> None:
        self._bots = {bot.info.name: bot for bot in bots}
        if default is not None and default not in self._bots:
            raise UnknownDefaultBot(default)
        self.default = default

    def all(self) -> list[BotInfo]:
        """The default first."""
        infos = [bot.info for bot in self._bots.values()]
        return sorted(infos, key=lambda info: info.name != self.default)

    def get(self, name: str) -> Bot | None:
        return self._bots.get(name)
