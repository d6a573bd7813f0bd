"""Finding what was said, in the pages of a session's log. The server keeps no index of texts."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chatserver.chat.commands import History
from chatserver.chat.models import Event, EventType

PAGE = 200

PageBefore = Callable[[int | None, int], Awaitable[History]]
"""The newest so many events of the log before a seq; None: the newest of all."""


@dataclass(frozen=True, slots=True)
class Found:
    """The messages that have all the words, newest first."""

    messages: list[Event]
    next: int | None
    """Pass as `before_seq` to look further back; None: the log was looked through to its begin."""


def spans(words: str, text: str) -> list[tuple[int, int]]:
    """Where the words, separated by blanks, stand in a text; none unless all of them do.

    Upper and lower case are the same, and a word may be part of a longer one. In ascending order,
    each `(start, end)` in code points, those that touch or overlap put together.
    """
    found = list[tuple[int, int]]()
    for word in set(words.split()):
        places = [match.span() for match in re.finditer(re.escape(word), text, re.IGNORECASE)]
        if not places:
            return []
        found += places
    merged = list[tuple[int, int]]()
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


async def search(
    page_before: PageBefore, words: str, *, before_seq: int | None, limit: int, scan: int
) -> Found:
    """Ends with `limit` messages, or once `scan` events were looked at."""
    found = list[Event]()
    while scan > 0:
        page = await page_before(before_seq, min(PAGE, scan))
        for event in reversed(page.events):
            before_seq = event.seq
            if event.type is EventType.MESSAGE_CREATED and spans(words, event.data["text"]):
                found.append(event)
                if len(found) == limit:
                    return Found(found, before_seq if before_seq > 1 else None)
        if page.complete or not page.events:
            return Found(found, None)
        scan -= len(page.events)
    return Found(found, before_seq)
