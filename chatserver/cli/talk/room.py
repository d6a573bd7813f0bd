"""The session that a terminal shows."""

import asyncio
from collections.abc import Callable

from prompt_toolkit.formatted_text import AnyFormattedText

from chatserver.chat.errors import ChatError
from chatserver.chat.events import ReplyDelta, ReplyFinished, ReplyStarted, ReplyStopped, Signal
from chatserver.chat.models import Event, EventType
from chatserver.cli.talk import paint, view
from chatserver.client import ChatSession, ClientError, ConnectionLost, GrowingReply

Show = Callable[[AnyFormattedText], None]
"""Prints above the prompt."""
FOUND = 10
"""Messages that a search shows."""
MARK_AGAIN_SECONDS = 1.0
"""After a mark that did not reach the server."""


class Room:
    """Shows the events of a session as they come, and knows the replies that are growing."""

    def __init__(
        self,
        session: ChatSession,
        show: Show,
        redraw: Callable[[], None],
        width: Callable[[], int],
    ) -> None:
        self.session = session
        self._show = show
        self._redraw = redraw
        self._width = width
        self._stopping: set[str] = set()
        self._oldest = session.info.last_seq
        self._retryable: str | None = None
        self._search: tuple[str, int | None] | None = None
        self._unwatch = session.watch(self._hear)
        self._read_to = 0
        self._has_read = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._mark())]

    async def stop(self) -> None:
        self._unwatch()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def growing(self) -> list[str]:
        """What the bots are saying right now."""
        return [self._shown(reply) for reply in self.session.running_replies()]

    def interruptible(self) -> bool:
        """Whether a bot is saying something that `stop_replies` was not asked to stop yet."""
        return not self._stopping.issuperset(self._running())

    async def stop_replies(self) -> None:
        self._stopping = self._running()
        if not self._stopping:
            self._show("* nothing to stop")
        try:
            for reply_id in tuple(self._stopping):
                await self.session.stop_reply(reply_id)
        except BaseException:
            # What goes on may be asked to stop once more.
            self._stopping.clear()
            raise

    async def show_older(self, limit: int) -> None:
        if self._oldest < 1:
            self._show("* that is all")
            return
        page = await self.session.history(before_seq=self._oldest + 1, limit=limit)
        self._show("* older messages:")
        for event in page.events:
            self._show_text(event)
        self._oldest = page.events[0].seq - 1 if page.events else 0
        self._show("* (the conversation goes on below)")

    async def search(self, words: str) -> None:
        """The newest messages with all the words; without words, what the last search left."""
        if words:
            self._search = (words, None)
        if self._search is None:
            self._show("* /search WORDS")
            return
        words, before = self._search
        found = await self.session.search(words, before_seq=before, limit=FOUND)
        for message in reversed(found.messages):
            self._show(paint.found(message, words, self._width()))
        if found.next is None:
            self._search = None
            self._show("* that is all" if found.messages or before else "* nothing found")
        else:
            self._search = (words, found.next)
            self._show(f"* looked back to message {found.next}; /search goes on")

    async def retry(self) -> None:
        if self._retryable is None:
            self._show("* nothing to ask again")
            return
        await self.session.retry_reply(self._retryable)
        self._retryable = None

    async def _read(self) -> None:
        first = True
        try:
            async for event in self.session.events():
                if first:
                    self._oldest, first = event.seq - 1, False
                self._show_event(event)
                if event.type is EventType.MESSAGE_CREATED:
                    self._read_to = event.seq
                    self._has_read.set()
        except (ChatError, ClientError) as error:
            self._show(f"* {view.line(str(error))}")
            return
        self._show("* this session has ended here: /rooms, /join or /new")

    async def _mark(self) -> None:
        """Beside the reading: what comes meanwhile is marked by one call."""
        while True:
            await self._has_read.wait()
            self._has_read.clear()
            try:
                await self.session.mark_read(self._read_to)
            except ConnectionLost:
                # An outage ends; the pause is for a client that was closed, which fails at once.
                await asyncio.sleep(MARK_AGAIN_SECONDS)
                self._has_read.set()
            except (ChatError, ClientError):
                return  # who reads hears of it as well

    def _show_event(self, event: Event) -> None:
        if "reply_id" in event.data:
            self._retryable = event.data["reply_id"]
        self._show_text(event)
        self._redraw()

    def _show_text(self, event: Event) -> None:
        if (text := paint.event(event, self._width())) is not None:
            self._show(text)

    def _hear(self, signal: Signal) -> None:
        match signal:
            case ReplyStopped(seq=None):
                self._retryable = signal.reply_id
                self._show("* the reply was stopped (/retry asks again)")
            case ReplyStarted() | ReplyDelta() | ReplyStopped() | ReplyFinished():
                pass
            case _:
                return
        self._redraw()

    def _running(self) -> set[str]:
        return {reply.reply_id for reply in self.session.running_replies()}

    def _shown(self, reply: GrowingReply) -> str:
        name = view.line(reply.bot or self.session.info.bot or "bot")
        return f"{name}: {view.indented(reply.text)}…" if reply.text else f"{name} is thinking…"
