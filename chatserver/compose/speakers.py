"""Who may speak: the bots that the settings declare, made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatserver.bot_settings import built_in_bots, declared_bots, default_bot, windows
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.model import ModelBotFactory
from chatserver.bots.registry import BotRegistry
from chatserver.bots.roster import Roster
from chatserver.chat.ports import Bot
from chatserver.compose.models import adapters
from chatserver.observability.model_use import ModelUse
from chatserver.settings import Settings


@dataclass(frozen=True, slots=True)
class Speakers:
    declared: Sequence[ModelBotDeclaration]
    roster: Roster
    bots: BotRegistry
    window: Callable[[str], int]
    """How many messages the bot of a name needs to see."""


def speakers_of(
    settings: Settings,
    use: ModelUse,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
) -> Speakers:
    """`bots` take the place of the built-in ones, `model_bots` of the adapters.

    Raises `BadBotsFile`, `UnknownDefaultBot`, `EmptyCorpus`, `OSError`.
    """
    declared = declared_bots(settings)
    roster = Roster(
        bots if bots is not None else built_in_bots(settings),
        declared,
        model_bots or adapters(use),
        settings.secret,
    )
    return Speakers(
        declared=declared,
        roster=roster,
        bots=BotRegistry(roster.bots, default_bot(settings, declared)),
        window=windows(settings, declared),
    )
