"""Talking in JSON: a line for each event out, a line for each order in."""

import asyncio
from collections import deque

from chatserver.chat.errors import ChatError, NotFound
from chatserver.chat.events import Signal
from chatserver.cli.talk.entering import client_for, enter
from chatserver.cli.talk.lines import LineTooLong, lines
from chatserver.cli.talk.orders import Order, Retry, Send, Wait, obey, read_order
from chatserver.cli.talk.pipe import DEFAULT_NAME, asked
from chatserver.cli.talk.place import Place
from chatserver.cli.talk.records import Records
from chatserver.client import ChatClient, ChatSession, ClientError, ReplyFailed, ReplyStream

HELD_BACK = 1_000
"""Ephemeral events that wait for the log's; older ones are dropped."""


async def talk_in_json(
    place: Place,
    *,
    name: str | None,
    token: str | None,
    title: str,
    bot: str | None,
    follow: bool,
) -> None:
    """Until the input has ended and what it asked for was answered; with `follow`, until the
    session ends or nobody reads any more.

    Raises SystemExit(1) at the end where anything failed; each failure is an `error` record.
    """
    records = Records()
    try:
        async with client_for(place, name or DEFAULT_NAME, token, records.status) as client:
            session = await enter(client, place, title=title, bot=bot)
            failed = await _Talk(client, session, records).run(follow)
    except (ChatError, ClientError) as error:
        records.error(error)
        failed = True
    if failed:
        raise SystemExit(1)


class _Talk:
    def __init__(self, client: ChatClient, session: ChatSession, records: Records) -> None:
        self._client = client
        self._session = session
        self._records = records
        self._failed = False
        self._held_back: deque[tuple[int, Signal]] = deque(maxlen=HELD_BACK)
        self._shown = asyncio.Event()
        self._replies: set[asyncio.Task[None]] = set()

    async def run(self, follow: bool) -> bool:
        """Whether anything failed."""
        session = self._session
        members = [member.wire() for member in session.members.values()]
        who = self._client.participant.wire()
        self._records.put(
            "joined", {"session": session.info.wire(), "participant": who, "members": members}
        )
        session.watch(self._hear)
        obeying = asyncio.create_task(self._obey_all(follow))
        reading = asyncio.create_task(self._read())
        unread = asyncio.create_task(self._records.broken.wait())
        tasks: list[asyncio.Task[object]] = [obeying, reading, unread]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in [*tasks, *self._replies]:
            task.cancel()
        await asyncio.gather(*tasks, *self._replies, return_exceptions=True)
        for task in done:
            task.result()
        if obeying not in done and reading in done:
            self._fail(NotFound("the session was left or deleted"))
        return self._failed or obeying not in done

    async def _obey_all(self, follow: bool) -> None:
        number = 0
        async for line in lines():
            number += 1
            if isinstance(line, LineTooLong):
                self._fail(line, number)
            elif line.strip():
                await self._obey(line, number)
        await self._answers()
        if follow:
            await asyncio.Event().wait()
        while self._session.waiting:
            self._shown.clear()
            await self._shown.wait()

    async def _obey(self, line: bytes, number: int) -> None:
        try:
            order = read_order(line)
            if isinstance(order, Wait):
                await self._answers()
            came = await obey(self._session, order)
        except (ChatError, ClientError, TimeoutError) as error:
            self._fail(error, number)
            return
        self._records.put("done", {"line": number, "do": order.name, **came})
        for stream in self._streams(order, came):
            task = asyncio.create_task(self._follow(stream))
            self._replies.add(task)
            task.add_done_callback(self._replies.discard)

    def _streams(self, order: Order, came: dict[str, object]) -> list[ReplyStream]:
        """The replies that an order asked for."""
        match order, came:
            case Send(), {"message": {"seq": int(seq)}}:
                bots = asked(self._client, self._session, order.text)
                return [self._session.reply(seq, bot=bot) for bot in bots]
            case Retry(), {"reply": {"prompt_seq": int(seq), "reply_id": str(reply_id)}}:
                return [self._session.reply(seq, reply_id=reply_id)]
            case _:
                return []

    async def _follow(self, stream: ReplyStream) -> None:
        try:
            await stream.wait()
        except ReplyFailed:
            self._failed = True  # the event says why
        except TimeoutError as error:
            self._failed = True
            self._records.error(error, reply_id=stream.reply_id)
        except (ChatError, ClientError):
            self._failed = True  # who reads the events hears of it as well

    async def _answers(self) -> None:
        while self._replies:
            await asyncio.wait(self._replies)

    async def _read(self) -> None:
        async for event in self._session.events():
            self._records.put(event.type, event.wire())
            while self._held_back and self._held_back[0][0] <= event.seq:
                self._put(self._held_back.popleft()[1])
            self._shown.set()

    def _hear(self, signal: Signal) -> None:
        # An ephemeral event comes after those of the log that came before it.
        if self._session.waiting:
            self._held_back.append((self._session.info.last_seq, signal))
        else:
            self._put(signal)

    def _put(self, signal: Signal) -> None:
        self._records.put(signal.name, signal.wire())

    def _fail(self, error: Exception, line: int | None = None) -> None:
        self._failed = True
        self._records.error(error, **({} if line is None else {"line": line}))
