"""Names as people read them. Pure functions."""

import unicodedata

from chatserver.chat.models import Participant


def same(name: str) -> str:
    """Equal for names that people take for one.

    Upper and lower case, compatible characters, and with or without what nobody sees.
    """
    plain = unicodedata.normalize("NFKC", name)
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", seen).casefold().strip()


def reads_as(name: str, word: str) -> bool:
    """Whether a line that begins with the name would look like one that begins with `word: `."""
    return same(same(name).partition(":")[0]) == same(word)


def shown(sender: Participant, word: str) -> str:
    """The name to begin a line with, where `word` begins those that nobody said."""
    return f"({sender.kind}) {sender.name}" if reads_as(sender.name, word) else sender.name
