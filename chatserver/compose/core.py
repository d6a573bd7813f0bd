"""What every program stands on, whatever it does with it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatserver.bots.model import ModelBotFactory
from chatserver.bots.registry import BotRegistry
from chatserver.bots.roster import Roster
from chatserver.chat.limits import Limits
from chatserver.chat.ports import Bot, Clock
from chatserver.compose.closing import Closing
from chatserver.compose.database import database
from chatserver.compose.models import analyst_of
from chatserver.compose.speakers import speakers_of
from chatserver.observability.clock import SystemClock
from chatserver.observability.metrics import Metrics
from chatserver.observability.model_use import ModelUse
from chatserver.settings import Settings
from chatserver.store.open import Database, OpenableStore

if TYPE_CHECKING:
    from chatserver.bots.openai.analyst import OpenAiAnalyst


@dataclass(frozen=True, slots=True)
class Core:
    """The store and who may speak, with what counts and times them."""

    settings: Settings
    limits: Limits
    metrics: Metrics
    clock: Clock
    place: Database
    store: OpenableStore
    roster: Roster
    bots: BotRegistry
    window: Callable[[str], int]
    analyst: "OpenAiAnalyst | None"

    @property
    def parts(self) -> tuple[Closing, ...]:
        """What holds threads or connections, in the order of its end."""
        used = (self.store, self.roster, self.analyst)
        return tuple(part for part in used if part is not None)


def core_of(
    settings: Settings, bots: list[Bot] | None = None, model_bots: ModelBotFactory | None = None
) -> Core:
    """`bots` take the place of the built-in ones, `model_bots` of the adapters.

    Opens nothing. Raises `UnsupportedDatabase`, `BadBotsFile`, `UnknownDefaultBot`,
    `UnknownSummaryBot`, `EmptyCorpus`, `OSError`.
    """
    metrics, limits = Metrics(), settings.limits()
    place = database(settings)
    store = place.store(limits, metrics.committed)
    metrics.watch("store_pending", "Writes that wait for a commit", lambda: store.pending)
    metrics.watch("tasks", "Tasks of the event loop", running_tasks)
    use = ModelUse(metrics)
    speakers = speakers_of(settings, use, bots, model_bots)
    return Core(
        settings=settings,
        limits=limits,
        metrics=metrics,
        clock=SystemClock(),
        place=place,
        store=store,
        roster=speakers.roster,
        bots=speakers.bots,
        window=speakers.window,
        # Who puts doubles in place of the models wants no other asked.
        analyst=None if model_bots else analyst_of(settings, speakers.declared, use),
    )


def running_tasks() -> int:
    """Of the event loop that this thread runs; 0 where it runs none."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0
