"""The bot that needs nothing from outside: a uniformly random line of a fixed text."""

import random
from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from pathlib import Path

from chatserver.bots.pace import word_by_word
from chatserver.chat.models import BotInfo
from chatserver.chat.ports import ReplyContext


class EmptyCorpus(Exception):
    """A corpus file without a single line of text."""


def read_corpus(path: Path | None) -> list[str]:
    """The lines of a corpus file, blank ones left out; our own text where `path` is None.

    Raises `OSError`, `UnicodeDecodeError` or `EmptyCorpus`.
    """
    source = path if path is not None else files("chatserver.bots") / "corpus.txt"
    lines = [line.strip() for line in source.read_text("utf-8").splitlines() if line.strip()]
    if not lines:
        raise EmptyCorpus(str(source))
    return lines


class CorpusBot:
    """`chat.ports.Bot`."""

    info = BotInfo(name="corpus", description="says a random line of a fixed text; works offline")

    def __init__(self, lines: Sequence[str], words_per_second: float) -> None:
        self._lines = lines
        self._pace = words_per_second
        self._random = random.Random()

    def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        return word_by_word(self._random.choice(self._lines), self._pace)
