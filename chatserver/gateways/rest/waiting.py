"""Waiting for the end of a reply, for programs that want question and answer in one request.

The truth is the stored reply. A commit that may have ended it is only the nudge to look again; as
some ends leave nothing in the log (a reply that was stopped before its first word) and some are
committed by other processes, a waiter also looks by itself every `recheck_seconds`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from chatserver.chat.errors import TooManyInFlight
from chatserver.chat.models import Event, EventType, Participant, ReplyOutcome
from chatserver.chat.ports import Commit
from chatserver.chat.service import ChatService

Prompt = tuple[str, int]
"""A session and the `seq` of a message in it."""


class ReplyWaiting:
    """Subscribe `on_commit` to the store. At most `places` wait, of them `places_each` for one."""

    def __init__(
        self,
        chat: ChatService,
        *,
        places: int = 1_000,
        places_each: int = 64,
        recheck_seconds: float = 2.0,
    ) -> None:
        self._chat = chat
        self._places = places
        self._places_each = places_each
        self._recheck = recheck_seconds
        self._taken: Counter[str] = Counter()
        self._nudges: defaultdict[Prompt, set[asyncio.Event]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """Room for one more request of a caller; take it before anything is stored.

        Raises `TooManyInFlight`.
        """
        if self._taken.total() >= self._places or self._taken[caller] >= self._places_each:
            raise TooManyInFlight("too many requests wait for a reply")
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

    async def outcome(
        self, actor: Participant, session_id: str, prompt_seq: int, seconds: float
    ) -> ReplyOutcome | None:
        """The reply as it is when it has ended, or else after `seconds`. None: there is none.

        Raises what `ChatService.reply_to` raises, also where access ends during the wait.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        nudge, prompt = asyncio.Event(), (session_id, prompt_seq)
        # Listening begins before the first look: what ends between the two is not missed.
        self._nudges[prompt].add(nudge)
        try:
            while True:
                nudge.clear()
                reply = await self._chat.reply_to(actor, session_id, prompt_seq)
                left = deadline - loop.time()
                if reply is None or reply.state.terminal or left <= 0 or self._closed:
                    return reply
                await _set_within(nudge, min(left, self._recheck))
        finally:
            self._nudges[prompt].discard(nudge)
            if not self._nudges[prompt]:
                del self._nudges[prompt]

    def is_closed(self) -> bool:
        """Whether nobody waits any more."""
        return self._closed

    def on_commit(self, commit: Commit) -> None:
        """Wakes those whose reply may have ended in this commit. Never blocks."""
        if not self._nudges:
            return
        for event in commit.events:
            prompt = _prompt_of(event)
            for nudge in self._nudges.get(prompt, ()) if prompt else ():
                nudge.set()

    def close(self) -> None:
        """Ends every wait at once with the reply as it is, so that a shutdown need not wait."""
        self._closed = True
        for nudges in self._nudges.values():
            for nudge in nudges:
                nudge.set()


async def _set_within(nudge: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await nudge.wait()
    except TimeoutError:
        return


def _prompt_of(event: Event) -> Prompt | None:
    """The prompt whose reply this event ends, if it ends one."""
    if event.type is EventType.REPLY_FAILED:
        return event.session_id, event.data["prompt_seq"]
    if event.type is EventType.MESSAGE_CREATED and event.data.get("reply_id"):
        return event.session_id, event.data["reply_to"]
    return None
