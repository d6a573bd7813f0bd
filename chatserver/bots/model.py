"""Bots that a language model speaks for: what each adapter offers beyond `chat.ports.Bot`."""

from collections.abc import Callable
from typing import Protocol

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.chat.ports import Bot


class ModelBot(Bot, Protocol):
    async def check(self) -> None:
        """Asks the model's endpoint in the cheapest way there is. Raises `BotError`."""
        ...

    async def close(self) -> None:
        """Lets go of connections; nothing is asked of it afterwards."""
        ...


ModelBotFactory = Callable[[ModelBotDeclaration, str | None], ModelBot]
"""Makes the bot of a declaration, with the key where its endpoint needs one."""
