"""Which bots of a session a message asks. Pure functions."""

import re
from collections.abc import Sequence
from functools import lru_cache

from chatserver.chat.models import Participant, ParticipantKind, ReplyPolicy, Session

MAX_ADDRESSED = 3
"""Bots that one message asks at most: the first it mentions."""

CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
"""What Markdown shows as code, fenced or between single backticks on one line."""


def asked_by_name(session: Session, sender: Participant, text: str) -> bool:
    """Whether `answering` must know the session's bots: it does not where nobody is mentioned."""
    return "@" in text and _may_ask(session, sender)


def answering(
    session: Session, sender: Participant, text: str, bots: Sequence[str]
) -> tuple[str, ...]:
    """The names of those of the member `bots` that answer a person's new message, in order.

    Those it mentions, or else the session's own bot under the policy `always`, if a user says it:
    an operator is there to answer and not to be answered unasked. `bots` may be left empty where
    `asked_by_name` is false.
    """
    if not _may_ask(session, sender):
        return ()
    if mentioned := mentions(text, bots):
        return mentioned
    unasked = session.reply_policy is ReplyPolicy.ALWAYS and sender.kind is ParticipantKind.USER
    return (session.bot,) if unasked and session.bot is not None else ()


def mentions(text: str, bots: Sequence[str]) -> tuple[str, ...]:
    """Those of `bots` that stand as `@name` in the text: the first three, in order, each once.

    Upper and lower case are the same. The `@` does not follow a letter, a digit or one of `.+-/`,
    and no letter or digit follows the name, not even after one of `.-/`: an e-mail address, a path
    and the longer name of somebody else mention nobody. Nor does what stands in code.
    """
    if not bots or "@" not in text:
        return ()
    found: dict[str, None] = {}
    names = tuple(sorted(bots, key=len, reverse=True))
    for match in _pattern(names).finditer(CODE.sub(" ", text)):
        assert match.lastindex is not None, "one of the names matched"
        found[names[match.lastindex - 1]] = None
        if len(found) == MAX_ADDRESSED:
            break
    return tuple(found)


def _may_ask(session: Session, sender: Participant) -> bool:
    return sender.kind is not ParticipantKind.BOT and session.reply_policy is not ReplyPolicy.OFF


@lru_cache(maxsize=256)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """One group for each name; the longest come first, where one begins with another."""
    groups = "|".join(f"({re.escape(name)})" for name in names)
    return re.compile(rf"(?<![\w.+/-])@(?:{groups})(?![-./]?\w)", re.IGNORECASE)
