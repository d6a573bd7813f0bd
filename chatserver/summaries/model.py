"""What a conversation is about, as a model sees it."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import structlog

from chatserver.chat.models import Event
from chatserver.chat.ports import BotError, Summarizer
from chatserver.chat.rates import RateLimiter
from chatserver.chat.summary import Digest, Highlight, SummaryMethod
from chatserver.summaries.analyst import Analyst
from chatserver.summaries.answers import BadAnswer, Quote, SummaryAnswer, kind_of, read, schema
from chatserver.summaries.newest import newest

log = structlog.get_logger(__name__)

MAX_CHARS = 24_000
"""The newest text up to this length is sent: some 6000 tokens, which every model of today takes."""
TOPICS = 5
HIGHLIGHTS = 3
ATTEMPTS = 2
"""A model that answered nonsense is asked once more."""
AT_ONCE = 4
WAITING = 8
"""Summaries that wait while `AT_ONCE` are written; who asks for one more gets the fallback's."""
CACHED = 256
"""Digests that are kept: asking again about what has not changed costs nothing."""

TASK = (
    'Sum the conversation up in its own language, for somebody who missed it. "text": two to four'
    f' sentences. "topics": up to {TOPICS} of one to three words, the weightiest first.'
    ' "sentiment": the mood of the people in it, not of the bots; "mixed" where they differ.'
    f' "highlights": up to {HIGHLIGHTS} sentences that matter most, each copied character by'
    ' character from the "text" of one message, with that message\'s "seq".'
)


class ModelSummarizer:
    """`chat.ports.Summarizer`. Where the model may not be asked or fails, `fallback` speaks.

    Who asks about the same messages at the same time waits for one answer, and an asker that
    leaves does not end it for the others. `close` ends what still runs.
    """

    def __init__(
        self,
        analyst: Analyst,
        fallback: Summarizer,
        *,
        seconds: float,
        rate: RateLimiter | None,
    ) -> None:
        """`seconds` is how long a summary waits and is written, all attempts together; `rate` how
        often an asker may have one written. What is kept or already being written costs nothing.
        """
        self._analyst = analyst
        self._fallback = fallback
        self._seconds = seconds
        self._rate = rate
        self._room = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[bytes, asyncio.Task[Digest]] = {}
        self._cache: OrderedDict[bytes, Digest] = OrderedDict()

    async def digest(self, messages: Sequence[Event], asker: str) -> Digest:
        shown = newest(messages, MAX_CHARS)
        if not shown:
            return await self._fallback.digest(messages, asker)
        key = _fingerprint(messages)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        task = self._asked.get(key)
        if task is None:
            if refusal := self._refusal(asker):
                return await self._fall_back(messages, asker, refusal)
            task = asyncio.create_task(self._sum_up(key, shown, messages, asker), name="summary")
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        running = list(self._asked.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _refusal(self, asker: str) -> str | None:
        """Why the model is not to be asked for this one; None counts it."""
        if len(self._asked) >= AT_ONCE + WAITING:
            return "busy"
        if self._rate is not None and self._rate.take(asker):
            return "rate"
        return None

    async def _sum_up(
        self, key: bytes, shown: Sequence[Event], messages: Sequence[Event], asker: str
    ) -> Digest:
        try:
            async with asyncio.timeout(self._seconds), self._room:
                digest = _digest(await self._ask(shown), shown)
        except (BotError, BadAnswer, TimeoutError) as failure:
            return await self._fall_back(messages, asker, kind_of(failure))
        self._cache[key] = digest
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return digest

    async def _fall_back(self, messages: Sequence[Event], asker: str, kind: str) -> Digest:
        log.warning("summary_fell_back", session=messages[0].session_id, kind=kind)
        return await self._fallback.digest(messages, asker)

    async def _ask(self, shown: Sequence[Event]) -> SummaryAnswer:
        for attempt in range(1, ATTEMPTS + 1):
            answer = await self._analyst.analyse(TASK, shown, "summary", schema(SummaryAnswer))
            try:
                return read(SummaryAnswer, answer)
            except BadAnswer:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")


def _digest(answer: SummaryAnswer, shown: Sequence[Event]) -> Digest:
    return Digest(
        method=SummaryMethod.MODEL,
        text=answer.text,
        topics=list(dict.fromkeys(answer.topics))[:TOPICS],
        sentiment=answer.sentiment,
        highlights=_verbatim(answer.highlights, shown)[:HIGHLIGHTS],
        covers_from_seq=shown[0].seq,
    )


def _verbatim(quotes: Sequence[Quote], shown: Sequence[Event]) -> list[Highlight]:
    """Those that stand in the message they name: nobody is quoted with what they did not say."""
    by_seq = {message.seq: message for message in shown}
    kept = dict.fromkeys(
        (quote.seq, quote.text)
        for quote in quotes
        if quote.seq in by_seq and quote.text in by_seq[quote.seq].data["text"]
    )
    return [Highlight(seq=seq, sender=by_seq[seq].sender, text=text) for seq, text in sorted(kept)]


def _fingerprint(messages: Sequence[Event]) -> bytes:
    """The same for the same messages, as they now stand; an edit or a deletion makes another."""
    digest = blake2b(messages[0].session_id.encode(), digest_size=16)
    for message in messages:
        text = message.data["text"].encode()
        digest.update(b"%d:%d:" % (message.seq, len(text)) + text)
    return digest.digest()
