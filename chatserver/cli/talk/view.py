"""What is shown of a session: one text per event. Pure."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from chatserver.chat.models import Event, EventType, Participant


def safe(text: str) -> str:
    """Without what a terminal would obey: whoever writes a message must not steer the reader's.

    Also without what reorders text on the screen (Unicode's bidirectional overrides and marks).
    What some terminals take for a break of the line is one, so that what follows is indented.
    """
    text = BREAKS.sub("\n", text)
    return "".join(char for char in text if char in "\n\t" or printable(char))


def printable(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cs") and char not in BIDI


BREAKS = re.compile("\r\n|[\u2028\u2029]")
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def line(text: str) -> str:
    """The same on one line: for names and titles."""
    return " ".join(safe(text).split())


def clock(when: datetime) -> str:
    return when.astimezone().strftime("%H:%M")


INDENT = "  "
"""Before the further lines of a message: none of them can pass for somebody else's."""


def head(sender: Participant, when: datetime) -> str:
    return f"{clock(when)} {line(sender.name)}:"


def said(sender: Participant, text: str, when: datetime) -> str:
    return f"{head(sender, when)} {indented(text)}"


def indented(text: str) -> str:
    return safe(text).replace("\n", f"\n{INDENT}")


def marks(data: dict[str, Any]) -> str:
    """What is to be known of a message besides its text."""
    known = " (edited)" if data.get("edited_at") else ""
    known += " (stopped)" if data.get("stopped") else ""
    known += " (cut off)" if data.get("failed") else ""
    return known + (f" (in place of {data['replaces']})" if "replaces" in data else "")


def describe(event: Event) -> str | None:
    """None for what is not worth a line."""
    data, who = event.data, line(event.sender.name)
    match event.type:
        case EventType.MESSAGE_CREATED:
            if data.get("deleted_at"):
                return said(event.sender, "(deleted)", event.created_at)
            return said(event.sender, data["text"] + marks(data), event.created_at)
        case EventType.MESSAGE_EDITED:
            return f"* {who} changed message {data['seq']}: {indented(data['text'])}"
        case EventType.MESSAGE_DELETED:
            return f"* {who} deleted message {data['seq']}"
        case EventType.MESSAGE_KEPT:
            return f"* {who} kept message {data['seq']}"
        case EventType.PARTICIPANT_JOINED:
            return f"* {who} joined"
        case EventType.PARTICIPANT_LEFT:
            return f"* {line(data['participant']['name'])} left"
        case EventType.SESSION_UPDATED:
            title = line(data["title"]) or "Untitled"
            bot = line(data["bot"] or "nobody")
            return f"* now: {title}, {data['visibility']}; {bot} answers {data['reply_policy']}"
        case EventType.REPLY_FAILED:
            again = " (/retry asks again)" if data["retryable"] else ""
            return f"* {who} could not answer: {line(data['message'])}{again}"
