"""Who names a session: a model, or the first words of a person."""

from collections.abc import Sequence

import structlog

from chatserver.chat.models import Event
from chatserver.chat.ports import BotError
from chatserver.chat.titles import clean_title, first_words
from chatserver.summaries.analyst import Analyst
from chatserver.summaries.answers import BadAnswer, TitleAnswer, kind_of, read, schema
from chatserver.summaries.newest import newest

log = structlog.get_logger(__name__)

MAX_CHARS = 8_000

TASK = (
    'Give the conversation a title in its own language: "title", two to six words that say what it'
    " is about, without quotation marks and without a full stop."
)


class FirstWordsTitler:
    """`chat.ports.Titler` without a model."""

    async def title(self, messages: Sequence[Event]) -> str:
        return first_words(messages)


class ModelTitler:
    """`chat.ports.Titler` by a model; where it fails, by the first words."""

    def __init__(self, analyst: Analyst) -> None:
        self._analyst = analyst

    async def title(self, messages: Sequence[Event]) -> str:
        shown = newest(messages, MAX_CHARS)
        if not shown:
            return first_words(messages)
        try:
            answer = await self._analyst.analyse(TASK, shown, "title", schema(TitleAnswer))
            title = clean_title(read(TitleAnswer, answer).title)
        except (BotError, BadAnswer) as failure:
            session_id = messages[0].session_id
            log.warning("title_fell_back", session=session_id, kind=kind_of(failure))
            return first_words(messages)
        return title if any(map(str.isalnum, title)) else first_words(messages)
