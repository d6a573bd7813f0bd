"""The session that a terminal shows."""

import asyncio
from collections.abc import Callable

from chatserver.chat.errors import ChatError
from chatserver.chat.events import ReplyDelta, ReplyFinished, ReplyStarted, ReplyStopped, Signal
from chatserver.chat.models import Event, EventType
from chatserver.cli.talk import view
from chatserver.client import ChatSession
from chatserver.client.errors import ClientError
from chatserver.client.replies import GrowingReply


class Room:
    """Shows the events of a session as they come, and knows the replies that are growing."""

    def __init__(
        self, session: ChatSession, show: Callable[[str], None], redraw: Callable[[], None]
    ) -> None:
        self.session = session
        self._show = show
        self._redraw = redraw
        self._growing: dict[str, tuple[str, GrowingReply]] = {}
        self._oldest = session.info.last_seq
        self._retryable: str | None = None
        self._unwatch = session.watch(self._hear)
        self._reading: asyncio.Task[None] | None = None

    def start(self) -> None:
        for growing in self.session.running_replies():
            self._growing[growing.reply_id] = (self._bot_name(), growing)
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        self._unwatch()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def growing(self) -> list[str]:
        """What the bots are saying right now."""
        return [
            f"{name}: {view.safe(reply.text)}…" if reply.text else f"{name} is thinking…"
            for name, reply in self._growing.values()
        ]

    async def show_older(self, limit: int) -> None:
        if self._oldest < 1:
            self._show("* that is all")
            return
        page = await self.session.history(before_seq=self._oldest + 1, limit=limit)
        self._show("* older messages:")
        for event in page.events:
            if text := view.describe(event):
                self._show(text)
        self._oldest = page.events[0].seq - 1 if page.events else 0
        self._show("* (the conversation goes on below)")

    async def stop_replies(self) -> None:
        if not self._growing:
            self._show("* nothing to stop")
        for reply_id in list(self._growing):
            await self.session.stop_reply(reply_id)

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
                    await self.session.mark_read(event.seq)
        except (ChatError, ClientError) as error:
            self._show(f"* {error}")
            return
        self._show("* this session has ended here: /rooms, /join or /new")

    def _show_event(self, event: Event) -> None:
        if "reply_id" in event.data:
            self._growing.pop(event.data["reply_id"], None)
            self._retryable = event.data["reply_id"]
        text = view.describe(event)
        if text is not None:
            self._show(text)
        self._redraw()

    def _hear(self, signal: Signal) -> None:
        match signal:
            case ReplyStarted():
                if reply := self.session.growing_reply(signal.reply_id):
                    self._growing[signal.reply_id] = (view.line(signal.bot.name), reply)
            case ReplyStopped():
                self._growing.pop(signal.reply_id, None)
                if signal.seq is None:
                    self._retryable = signal.reply_id
                    self._show("* the reply was stopped (/retry asks again)")
            case ReplyFinished():
                self._growing.pop(signal.reply_id, None)
            case ReplyDelta():
                pass
            case _:
                return
        self._redraw()

    def _bot_name(self) -> str:
        return view.line(self.session.info.bot or "bot")
