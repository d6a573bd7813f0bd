"""Who speaks for an AI: one of the bots that a server with these settings would have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chatserver.bot_settings import BUILT_IN
from chatserver.bots.corpus import CorpusBot, read_corpus
from chatserver.bots.echo import EchoBot
from chatserver.bots.unconfigured import UnconfiguredBot
from chatserver.chat.ports import Bot
from chatserver.cli.ai.conversation import Conversation
from chatserver.cli.ai.door import Report
from chatserver.cli.ai.ideas import BotsIdeas, Ideas, LinesOfText
from chatserver.cli.ai.mode import Mode, Seconds
from chatserver.cli.ai.voice import Voice
from chatserver.compose.speakers import speakers_of
from chatserver.observability.metrics import Metrics
from chatserver.observability.model_use import ModelUse
from chatserver.settings import Settings


class NoSuchBot(Exception):
    """The message says what is wrong with the choice."""


class NoKey(Exception):
    """The bot can never answer: its variable, which the message names, is not set."""


@dataclass(frozen=True, slots=True)
class Mind:
    """A bot, shared by all AIs of a process, with its limits."""

    bot: Bot
    window: int
    seconds: float
    chars: int
    lines: tuple[str, ...]
    """A fixed text that the bot draws from; empty for bots that make up their own."""
    names: frozenset[str]
    """Of all bots that a server with these settings has."""
    close: Callable[[], Awaitable[None]]

    def conversation(self) -> Conversation:
        return Conversation(self.bot.info.name, self.window)

    def voice(self, report: Report) -> Voice:
        return Voice(self.bot, report, seconds=self.seconds, chars=self.chars)

    def ideas(self, talk: Conversation, report: Report) -> Ideas:
        if self.lines:
            return LinesOfText(self.lines)
        return BotsIdeas(self.voice(report), talk, report)


def mind_of(settings: Settings, wanted: str | None, mode: Mode) -> Mind:
    """The wanted bot, or the default one.

    Raises `NoSuchBot`, `NoKey`, and what `speakers_of` raises.
    """
    speakers = speakers_of(settings, ModelUse(Metrics()))
    name = wanted if wanted is not None else speakers.bots.default
    if name is None:
        raise NoSuchBot("the settings name no default bot")
    bot = speakers.bots.get(name)
    if bot is None:
        raise NoSuchBot(f"there is no bot {name}; see chatserver bots")
    if isinstance(bot, UnconfiguredBot):
        raise NoKey(bot.variable)
    if isinstance(mode, Seconds) and isinstance(bot, EchoBot):
        raise NoSuchBot(f"the bot {name} says nothing of its own accord")
    corpus = read_corpus(settings.corpus_file) if isinstance(bot, CorpusBot) else []
    return Mind(
        bot=bot,
        window=speakers.window(name),
        seconds=settings.reply_seconds,
        chars=min(settings.reply_chars, settings.text_chars),
        lines=tuple(corpus),
        names=frozenset(BUILT_IN).union(info.name for info in speakers.bots.all()),
        close=speakers.roster.close,
    )
