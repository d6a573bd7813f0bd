"""The bots of a server, as its settings declare them."""

from collections.abc import Callable, Sequence

from chatserver.bots.corpus import CorpusBot, read_corpus
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.echo import EchoBot
from chatserver.bots.environment import hugging_face_bot, openai_bot
from chatserver.bots.file import read_bots_file
from chatserver.chat.ports import Bot
from chatserver.settings import Settings


class UnknownSummaryBot(Exception):
    """The settings name a bot for summaries that no model speaks for, or that does not exist."""


BUILT_IN = (CorpusBot.info.name, EchoBot.info.name)


def built_in_bots(settings: Settings) -> list[Bot]:
    """The bots that need nothing from outside. Raises `OSError` or `EmptyCorpus`."""
    pace = settings.words_per_second
    return [CorpusBot(read_corpus(settings.corpus_file), pace), EchoBot(pace)]


def declared_bots(settings: Settings) -> list[ModelBotDeclaration]:
    """Those of the bots file; where there is none, those of the environment's variables.

    Raises `OSError` or `BadBotsFile`.
    """
    if settings.bots_file is not None:
        return read_bots_file(settings.bots_file, BUILT_IN)
    declared, window = [], settings.context_messages
    if settings.openai_key is not None:
        declared.append(openai_bot(settings.openai_model, settings.openai_base_url, window))
    if settings.hugging_face_model is not None:
        declared.append(hugging_face_bot(settings.hugging_face_model, window))
    return declared


def windows(settings: Settings, declared: Sequence[ModelBotDeclaration]) -> Callable[[str], int]:
    """How many messages the bot of a name needs to see, and whoever answers in its place."""
    bots = {bot.name: bot for bot in declared}

    def window(name: str) -> int:
        bot = bots.get(name)
        if bot is None:
            return settings.context_messages
        instead = 0 if bot.fallback is None else window(bot.fallback)
        return max(bot.most_shown, instead)

    return window


def default_bot(settings: Settings, declared: Sequence[ModelBotDeclaration]) -> str | None:
    """The one of the settings; unless they say so, a bot of the environment comes before it."""
    chosen = "default_bot" in settings.model_fields_set
    if chosen or settings.bots_file is not None or not declared:
        return settings.default_bot
    return declared[0].name


def summary_bot(
    settings: Settings, declared: Sequence[ModelBotDeclaration]
) -> ModelBotDeclaration | None:
    """The one whose model writes summaries and titles; None: no model does.

    Where its key is missing there is none. Raises `UnknownSummaryBot`.
    """
    by_name = {bot.name: bot for bot in declared}
    chosen = settings.summary_bot
    if chosen is not None and chosen not in by_name:
        raise UnknownSummaryBot(chosen)
    if chosen is None and "summary_bot" not in settings.model_fields_set:
        chosen = default_bot(settings, declared)
    bot = by_name.get(chosen) if chosen is not None else None
    if bot is None or bot.key_variable is None:
        return bot
    return bot if settings.secret(bot.key_variable) is not None else None
