"""Whatever asks a language model. Only programs that have one load the package that talks to it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatserver.bot_settings import summary_bot
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.model import ModelBot, ModelBotFactory
from chatserver.chat.ports import Clock, Summarizer
from chatserver.chat.rates import RateLimiter
from chatserver.observability.model_use import ModelUse
from chatserver.settings import Settings
from chatserver.summaries.extractive import ExtractiveSummarizer
from chatserver.summaries.model import ModelSummarizer

if TYPE_CHECKING:
    from chatserver.bots.openai.analyst import OpenAiAnalyst


def adapters(observer: ModelUse) -> ModelBotFactory:
    """Makes the bot that a declaration's adapter names."""

    def make(declaration: ModelBotDeclaration, key: str | None) -> ModelBot:
        from chatserver.bots.openai import OpenAiBot

        return OpenAiBot(declaration, key, observer)

    return make


def analyst_of(
    settings: Settings, declared: Sequence[ModelBotDeclaration], observer: ModelUse
) -> "OpenAiAnalyst | None":
    """Who writes summaries and titles where a model does. Raises `UnknownSummaryBot`."""
    bot = summary_bot(settings, declared)
    if bot is None:
        return None
    from chatserver.bots.openai.analyst import OpenAiAnalyst

    key = settings.secret(bot.key_variable) if bot.key_variable is not None else None
    return OpenAiAnalyst(bot, key, observer, settings.summary_seconds)


def summarizers(
    settings: Settings, analyst: "OpenAiAnalyst | None", clock: Clock
) -> tuple[Summarizer, list[ModelSummarizer | ExtractiveSummarizer]]:
    """Who is asked for summaries, and all that is to be closed for it, in this order."""
    offline = ExtractiveSummarizer()
    if analyst is None:
        return offline, [offline]
    hourly = settings.summaries_per_participant_hour
    rate = RateLimiter(hourly / 3_600, hourly, clock) if hourly else None
    by_model = ModelSummarizer(analyst, offline, seconds=settings.summary_seconds, rate=rate)
    return by_model, [by_model, offline]
