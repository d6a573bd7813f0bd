"""The bots that a server declares, made and joined to their fallbacks."""

from collections.abc import Callable, Sequence

import structlog

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.fallback import FallbackBot
from chatserver.bots.model import ModelBot, ModelBotFactory
from chatserver.bots.unconfigured import UnconfiguredBot
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import Bot, RememberingBot

log = structlog.get_logger(__name__)

Secret = Callable[[str], str | None]
"""The value of a variable by its name; None where it is not set, or blank."""


class Roster:
    """Every bot of a server: the built-in ones, then those that a model speaks for.

    `declared` holds no circle of fallbacks and no unknown one: see `read_bots_file`.
    """

    def __init__(
        self,
        built_in: Sequence[Bot],
        declared: Sequence[ModelBotDeclaration],
        factory: ModelBotFactory,
        secret: Secret,
    ) -> None:
        self.models = {one.name: make_model_bot(one, factory, secret) for one in declared}
        self._fallbacks = {one.name: one.fallback for one in declared}
        self._speakers: dict[str, Bot] = {bot.info.name: bot for bot in built_in} | self.models
        self.remembering: dict[str, RememberingBot] = {
            name: bot
            for name, bot in self._speakers.items()
            if isinstance(bot, RememberingBot) and bot.remembers
        }
        """By name. A fallback that stands in for one of them does not remember for it."""
        self.bots = [self._with_fallback(name) for name in self._speakers]

    def report_unconfigured(self) -> None:
        """One error in the log for each bot whose key is missing."""
        for name, bot in self.models.items():
            if isinstance(bot, UnconfiguredBot):
                log.error("bot_not_configured", bot=name, variable=bot.variable)

    async def close(self) -> None:
        for bot in self.models.values():
            await bot.close()

    def _with_fallback(self, name: str) -> Bot:
        bot, fallback = self._speakers[name], self._fallbacks.get(name)
        return bot if fallback is None else FallbackBot(bot, self._with_fallback(fallback))


def make_model_bot(
    declaration: ModelBotDeclaration, factory: ModelBotFactory, secret: Secret
) -> ModelBot:
    """The bot, or one in its place that says that its key is missing."""
    if not declaration.description:
        described = {"description": f"answers with the model {declaration.model}"}
        declaration = declaration.model_copy(update=described)
    variable = declaration.key_variable
    if variable is None:
        return factory(declaration, None)
    key = secret(variable)
    if key is None:
        info = BotInfo(name=declaration.name, description=declaration.description)
        return UnconfiguredBot(info, variable)
    return factory(declaration, key)
