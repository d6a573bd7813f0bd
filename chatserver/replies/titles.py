"""Names sessions beside the replies: a task for each that got an answer and has no title."""

import asyncio

import structlog

from chatserver.chat.desk import Work
from chatserver.chat.errors import Unavailable
from chatserver.chat.ports import Titler
from chatserver.chat.titles import TitleDesk
from chatserver.observability.crashes import traced

log = structlog.get_logger(__name__)

AT_ONCE = 4
WAITING = 100
"""Sessions beyond are passed over; their next answer tries again."""


class SessionTitles:
    """Takes what the pool tells of answers. No reply waits for it; `close` ends what still runs."""

    def __init__(self, desk: TitleDesk, titler: Titler) -> None:
        self._desk = desk
        self._titler = titler
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def answered(self, work: Work, seq: int) -> None:
        """A `replies.run.AnswerListener`."""
        session_id, bot = work.claim.reply.session_id, work.claim.reply.bot
        titled = work.context is None or bool(work.context.session.title)
        if titled or session_id in self._tasks or len(self._tasks) >= WAITING:
            return
        task = asyncio.create_task(self._name(session_id, bot, seq), name="session-title")
        self._tasks[session_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(session_id, None))

    async def close(self) -> None:
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _name(self, session_id: str, bot: str, seq: int) -> None:
        try:
            async with self._room:
                exchange = await self._desk.exchange(session_id, bot, seq)
                if exchange is not None:
                    title = await self._titler.title(exchange.messages)
                    await self._desk.name(exchange, title)
        except Unavailable:
            log.warning("title_unavailable", session=session_id)
        except Exception as failure:
            log.error("title_crashed", session=session_id, **traced(failure))
