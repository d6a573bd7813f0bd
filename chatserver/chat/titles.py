"""Titles for sessions that nobody gave one: from what was said, once the first answer is there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chatserver.chat.bots import bot_participant
from chatserver.chat.models import Event, ParticipantKind
from chatserver.chat.ports import Clock, Store, Transaction
from chatserver.chat.session_bots import settings_of

TITLE_CHARS = 60
SHOWN_MESSAGES = 20
"""A title looks at so many of the newest messages."""
ATTEMPTS = 3
"""A session is named after one of its first answers, or never: a title that somebody took away
later stays away."""

LINE_CHARS = 500
"""What is looked at of a line: patterns take their time with long ones."""

FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
MARKUP = re.compile(
    r"""
      ^\s*(?:(?:[#>]+|[-*+]|\d+[.)]|\[[ xX]\])\s+)+  # headings, quotes, list items
    | !?\[(?P<label>[^\]\n]*)\]\([^)\n]*\)  # links and images: their label stays
    | https?://\S+
    | \s?(?<![\w.+/-])@[\w-]+               # mentions
    | <[^>\n]*>
    | \*+(?=\S) | (?<=\S)\*+ | (?<!\w)_+ | _+(?!\w) | ~~ | `+
    """,
    re.VERBOSE,
)
SENTENCE = re.compile(r".{12,}?(?:[.!?](?=\s)|[\u3002\uff01\uff1f])|.+")
"""Up to its end; what is shorter is a greeting or an abbreviation, and goes with the next."""
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
"""Control characters, and those that turn or hide what stands beside them."""
QUOTES = frozenset("\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d")


@dataclass(frozen=True, slots=True)
class Exchange:
    """The beginning of a session without a title: its messages, and the bot that answered."""

    session_id: str
    bot: str
    answer_seq: int
    messages: tuple[Event, ...]


class TitleDesk:
    """What may be read for a title, and when it may be written."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def exchange(self, session_id: str, bot: str, answer_seq: int) -> Exchange | None:
        """What a title may be made from; None where the session needs none or is past its first
        answers."""
        messages = await self._store.read(lambda tx: _untitled(tx, session_id, answer_seq))
        return Exchange(session_id, bot, answer_seq, tuple(messages)) if messages else None

    async def name(self, exchange: Exchange, title: str) -> bool:
        """Gives the session its title, in the name of the bot; whether it did.

        It does not where there is a title by now, where the bot is no longer a member, or where
        a message was edited or deleted that the title was made from.
        """
        session_id, sender = exchange.session_id, bot_participant(exchange.bot)
        now = self._clock.now()

        def work(tx: Transaction) -> bool:
            messages = _untitled(tx, session_id, exchange.answer_seq)
            session = tx.sessions.get(session_id)
            if session is None or tuple(messages) != exchange.messages:
                return False
            if tx.members.role(session_id, sender.id) is None:
                return False
            titled = session.model_copy(update={"title": title})
            tx.sessions.save_settings(titled)
            tx.log.append(session_id, sender, settings_of(titled), now)
            return True

        return bool(title) and await self._store.transact(work)


def _untitled(tx: Transaction, session_id: str, answer_seq: int) -> list[Event]:
    session = tx.sessions.get(session_id)
    if session is None or session.title:
        return []
    messages = tx.log.messages(session_id, answer_seq + 1, SHOWN_MESSAGES)
    answers = sum(message.sender.kind is ParticipantKind.BOT for message in messages)
    return messages if answers <= ATTEMPTS else []


def first_words(messages: Sequence[Event]) -> str:
    """A title without a model: the first sentence a person said, as plain text.

    Nothing where that leaves nothing, as of a message that is only code or a mention.
    """
    said = next((m for m in messages if m.sender.kind is not ParticipantKind.BOT), None)
    return plain_title(said.data["text"]) if said is not None else ""


def plain_title(text: str) -> str:
    """The first line that says something, at most 60 characters, cut between two words."""
    for line in FENCE.sub("\n", text).splitlines():
        bare = MARKUP.sub(lambda match: match["label"] or "", line[:LINE_CHARS]).strip(" ,;:")
        if any(character.isalnum() for character in bare):
            sentence = SENTENCE.match(bare)
            assert sentence is not None, "a line that says something matches"
            return clean_title(sentence[0])
    return ""


def clean_title(raw: str) -> str:
    """One line of at most 60 characters, all of them seen, without quotes around or a full stop."""
    title = " ".join(UNSEEN.sub(" ", raw).split())
    while len(title) > 1 and title[0] in QUOTES and title[-1] in QUOTES:
        title = title[1:-1].strip()
    if title.endswith(".") and not title.endswith(".."):
        title = title[:-1].rstrip()
    return _shortened(title)


def _shortened(title: str) -> str:
    if len(title) <= TITLE_CHARS:
        return title
    cut = title[: TITLE_CHARS - 1]
    whole_words = cut if title[TITLE_CHARS - 1] == " " else cut.rpartition(" ")[0]
    # A word of half the title's length, or a language without spaces, is cut.
    kept = whole_words if len(whole_words) > TITLE_CHARS // 2 else cut
    return kept.rstrip(" ,;:-") + "\u2026"
