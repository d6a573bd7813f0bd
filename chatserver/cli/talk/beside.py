"""What goes on beside the prompt: one can go on typing while the server is away."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

from chatserver.chat.errors import ChatError
from chatserver.cli.talk import view
from chatserver.cli.talk.room import Show
from chatserver.cli.talk.slash import unescaped
from chatserver.client import ChatSession, ClientError

SEND_SECONDS = 60.0
"""Longest that a message may take since it was typed, those before it included."""
LAST_SECONDS = 3.0
"""How long the end waits for what was sent."""
MOST = 100
"""Things at once; a message beyond them is not sent."""


class Beside:
    """Messages that are on their way, and whatever else nobody waits for. What fails is shown."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._tasks: dict[asyncio.Task[None], str] = {}

    def send(self, session: ChatSession, typed: str) -> None:
        """Says it once all that was typed there before was said or given up."""
        what = f"not sent: {typed}"
        if len(self._tasks) < MOST:
            self.do(lambda: self._send(session, unescaped(typed)), what)
        else:
            self._explain(what, "too much is waiting")

    def do(self, doing: Callable[[], Awaitable[object]], what: str) -> None:
        """At once; `what` is what is shown where it fails."""

        async def explained() -> None:
            try:
                await doing()
            except (ChatError, ClientError, TimeoutError) as error:
                self._explain(what, str(error))

        task = asyncio.create_task(explained())
        self._tasks[task] = what
        task.add_done_callback(self._tasks.pop)

    async def settle(self) -> None:
        """What was sent last gets a moment to arrive."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_SECONDS)

    async def give_up(self) -> None:
        """Ends, and shows, what has not arrived."""
        tasks = dict(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task, what in tasks.items():
            if task.cancelled():
                self._explain(what, "")

    async def _send(self, session: ChatSession, text: str) -> None:
        # `ChatSession.send` lets messages overtake one that has to be repeated.
        async with asyncio.timeout(SEND_SECONDS), self._turns[session.id]:
            await session.send(text)

    def _explain(self, what: str, why: str) -> None:
        self._show(f"* {view.indented(what)}: {view.line(why) or 'no answer'}")
