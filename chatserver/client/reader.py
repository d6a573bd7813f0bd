"""Taking a session's events, one after the other, from what was heard and from the log."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Event
from chatserver.client.calls import Calls
from chatserver.client.errors import ConnectionLost, EventsTakenTwice
from chatserver.client.state import SessionState

PAGE = 200

PageAfter = Callable[[int | None, int], Awaitable[list[Event]]]
"""The first so many events of the log after a seq."""


class EventIterator:
    """Not a generator: breaking out of a loop over it must not keep it open."""

    def __init__(self, next_event: Callable[[], Awaitable[Event | None]]) -> None:
        self._next_event = next_event

    def __aiter__(self) -> "EventIterator":
        return self

    async def __anext__(self) -> Event:
        event = await self._next_event()
        if event is None:
            raise StopAsyncIteration
        return event


class Reader:
    """Of one session, for one that waits at a time. A wait that is cancelled takes nothing."""

    def __init__(self, state: SessionState, calls: Calls, page_after: PageAfter) -> None:
        self._state = state
        self._calls = calls
        self._page_after = page_after
        self._taken = False

    async def next(self) -> Event | None:
        """None where no more will come. Raises what made it impossible to go on; a lost
        connection does not, as another one is made.
        """
        if self._taken:
            raise EventsTakenTwice("this session's events are being waited for already")
        self._taken = True
        state = self._state
        try:
            while True:
                changed = state.replies.changed
                if (event := state.inflow.next()) is not None:
                    return event
                if state.error is not None:
                    raise state.error
                if state.over or self._calls.closed:
                    return None
                self._calls.check()
                if state.inflow.missing:
                    # However long an outage is, it passes, or the client gives up.
                    with suppress(ConnectionLost):
                        await self._fill()
                else:
                    await changed.wait()
        finally:
            self._taken = False

    async def _fill(self) -> None:
        inflow = self._state.inflow
        try:
            events = await self._page_after(inflow.tail, PAGE)
        except ChatError:
            if self._state.over:
                return  # it ended meanwhile, which is why it was refused
            raise
        if not events:
            # What we heard of is not in the log any more; there is nothing to wait for.
            inflow.known = inflow.tail or 0
        for event in events:
            self._state.hear_event(event)
