"""One client of the crowd: as naive as the protocol allows, and as stubborn as it asks for."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chatserver.client.backoff import Backoff
from tests.faults import history as h
from tests.faults.line import Ack, Gone, Line
from tests.faults.links import LinkFailed
from tests.faults.program import Change, Pause, Probe, Repeat, Return, Say, Step

WINDOW = 16
"""Messages that are not determined yet, after which a client sends no more."""
PAGE = 200
REMEMBERED = 30
RETRY = {"unavailable", "draining", "rate_limited", "too_many_in_flight", "internal"}
TERMINAL = {"done", "failed", "stopped"}


@dataclass(slots=True)
class Standing:
    """What a client is and knows in one of its sessions."""

    session: str
    invite: str | None
    low: int = 0
    """Everything up to here was seen."""
    live: int | None = None
    """The last seq of this connection; None: not in the room."""
    away: bool = False


@dataclass(slots=True)
class Message:
    room: int
    message_id: str
    text: str
    prompt: bool
    seq: int | None = None
    deleted: bool = False


class Client:
    """Lives between `start` and `close`; does its steps while `going` is set."""

    def __init__(
        self,
        name: str,
        url: str,
        token: str,
        transport: str,
        log: h.ClientLog,
        *,
        steps: Iterator[Step],
        sessions: dict[int, str],
        going: asyncio.Event,
        acked: Callable[[], None],
        seed: int,
    ) -> None:
        self.name = name
        self.standings: dict[int, Standing] = {}
        self.prompts: list[Message] = []
        self.problems: list[str] = []
        self.idle = True
        self._url = url
        self._token = token
        self._transport = transport
        self._log = log
        self._steps = steps
        self._sessions = sessions
        self._going = going
        self._count_ack = acked
        self._rng = random.Random(f"{seed}/chance/{name}")
        self._backoff = Backoff(first=0.05, cap=1.0, rng=self._rng)
        self._line: Line | None = None
        self._connection = 0
        self._op = 0
        self._messages = 0
        self._by_session: dict[str, Standing] = {}
        self._pending: dict[str, Message] = {}
        self._in_flight = 0
        self._sent: deque[Message] = deque(maxlen=REMEMBERED)
        self._up = False
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # --- its life --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connects; returns once it is."""
        self._tasks = [asyncio.create_task(self._stay_connected())]
        await self.until(lambda: self._up)
        self._tasks.append(asyncio.create_task(self._work()))

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """They end by `close` alone, or by a defect of the crowd's."""
        return self._tasks

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._line is not None:
            self._line.close()

    async def until(self, check: Callable[[], bool]) -> None:
        while not check():
            self._changed.clear()
            await self._changed.wait()

    @property
    def determined(self) -> bool:
        """Nothing that it sent waits for an answer or for another try."""
        return self.idle and not self._pending and not self._in_flight

    async def _work(self) -> None:
        for step in self._steps:
            self.idle = True
            self._changed.set()
            await self._going.wait()
            await self.until(lambda: self._up and self._has_room)
            self.idle = False
            with suppress(Gone):  # it is done as far as it could be; sends go on by themselves
                await self._perform(step)

    @property
    def _has_room(self) -> bool:
        return self._in_flight + len(self._pending) < WINDOW

    async def _stay_connected(self) -> None:
        while True:
            ended = asyncio.Event()
            line = Line(self._told, lambda why, ended=ended: self._lost(why, ended))
            self._connection += 1
            try:
                await line.open(self._transport, self._url, self._token)
                self._line = line
                self._log.write(h.Connected(self._connection, self._transport))
                for standing in self.standings.values():
                    if not standing.away:
                        await self.join(standing)
                self._up = True
                self._backoff.reset()
                self._resend()
                self._changed.set()
                await ended.wait()
            except (LinkFailed, Gone):
                line.close()
            await asyncio.sleep(self._backoff.next())

    def _lost(self, why: str, ended: asyncio.Event) -> None:
        self._up = False
        for standing in self.standings.values():
            standing.live = None
        self._log.write(h.Disconnected(self._connection, why[:100]))
        ended.set()
        self._changed.set()

    # --- what it is told -------------------------------------------------------------------------

    def _told(self, name: str, payload: Any) -> None:
        if name == "welcome":
            self._log.write(h.Named(payload["participant"]["id"]))
            return
        session = payload.get("session_id")
        if session is None:
            return
        if "seq" not in payload or "type" not in payload:
            self._log.write(h.Heard(self._connection, session, name))
            return
        self._log.write(h.Received(self._connection, session, seen(payload)))
        standing = self._by_session.get(session)
        if standing is not None and standing.live is not None:
            if standing.low == standing.live:
                standing.low = payload["seq"]
            standing.live = payload["seq"]
            self._changed.set()

    # --- joining ---------------------------------------------------------------------------------

    async def create(self, room: int, **settings: Any) -> str:
        """A session of its own; the id."""
        data = await self.surely("create_session", settings)
        session = str(data["session"]["id"])
        self.enrol(room, session, None)
        await self.join(self.standings[room])
        return session

    async def invite(self, room: int) -> str:
        data = await self.surely("create_invite", {"session_id": self.standings[room].session})
        return str(data["invite"])

    def enrol(self, room: int, session: str, invite: str | None) -> Standing:
        standing = self.standings[room] = Standing(session, invite)
        self._by_session[session] = standing
        return standing

    async def join(self, standing: Standing) -> None:
        """Joins and reads what was missed. Raises `Gone`."""
        while True:
            asked = standing.low
            payload: dict[str, Any] = {"session_id": standing.session, "after_seq": asked}
            if standing.invite is not None:
                payload["invite"] = standing.invite

            def note(ack: Ack, asked: int = asked) -> None:
                if ack["ok"]:
                    self._note_snapshot(standing, asked, ack["data"])

            ack = await self._call("join_session", payload, note)
            if ack["ok"]:
                break
            if ack["error"]["code"] not in RETRY:
                self.problems.append(f"{self.name} may not join: {ack['error']}")
                return
            await asyncio.sleep(self._rng.uniform(0.05, 0.3))
        first = ack["data"]["from_seq"]
        while standing.low < first - 1:
            page = await self.surely(
                "get_history",
                {"session_id": standing.session, "after_seq": standing.low, "limit": PAGE},
                lambda ack: self._note_page(standing, ack),
            )
            if not page["events"]:
                self.problems.append(f"{self.name}: no history after {standing.low}")
                break
            standing.low = page["events"][-1]["seq"]
        standing.low = standing.live or standing.low

    def _note_snapshot(self, standing: Standing, asked: int, data: dict[str, Any]) -> None:
        events = [seen(event) for event in data["events"]]
        self._log.write(
            h.Joined(
                connection=self._connection,
                session=standing.session,
                after_seq=asked,
                from_seq=data["from_seq"],
                to_seq=data["to_seq"],
                complete=data["complete"],
                events=events,
            )
        )
        standing.live = data["to_seq"]
        if data["from_seq"] <= standing.low + 1:
            standing.low = data["to_seq"]

    def _note_page(self, standing: Standing, ack: Ack) -> None:
        if ack["ok"]:
            events = [seen(event) for event in ack["data"]["events"]]
            self._log.write(h.Paged(self._connection, standing.session, events))

    # --- asking ----------------------------------------------------------------------------------

    async def _call(
        self, event: str, payload: dict[str, Any], note: Callable[[Ack], None] | None = None
    ) -> Ack:
        if self._line is None:
            raise Gone("never connected")
        return await self._line.call(event, payload, note)

    async def surely(
        self,
        event: str,
        payload: dict[str, Any],
        note: Callable[[Ack], None] | None = None,
    ) -> dict[str, Any]:
        """The data of the ack, however often it must be asked for on this connection.

        Raises `Gone`; `Refusal` where trying again does not help.
        """
        while True:
            ack = await self._call(event, payload, note)
            if ack["ok"]:
                data: dict[str, Any] = ack["data"]
                return data
            if ack["error"]["code"] not in RETRY:
                raise Refusal(ack["error"]["code"])
            await asyncio.sleep(self._rng.uniform(0.05, 0.3))

    async def through(self, do: Callable[[], Awaitable[Any]]) -> Any:
        """Does it, however often the connection is lost over it."""
        while True:
            await self.until(lambda: self._up)
            with suppress(Gone):
                return await do()

    # --- the steps -------------------------------------------------------------------------------

    async def _perform(self, step: Step) -> None:
        match step:
            case Say():
                self._messages += 1
                message_id = f"{self.name}-{self._messages}"
                message = Message(step.room, message_id, step.text, step.prompt)
                self._transmit(message, step.text)
            case Repeat() if (message := self._remembered(step.back)) is not None:
                self._transmit(message, step.text or message.text)
            case Change() if (message := self._remembered(step.back)) is not None:
                self._change(message, step.text)
            case Return():
                await self._return(self.standings[step.room])
            case Probe():
                self._probe(self._sessions[step.room], step.action)
            case Pause():
                await asyncio.sleep(step.seconds)

    def _remembered(self, back: int) -> Message | None:
        return self._sent[-1 - back] if back < len(self._sent) else None

    def _transmit(self, message: Message, text: str) -> None:
        session = self.standings[message.room].session
        self._op += 1
        op = self._op
        digest = h.digest(text)
        record = h.Sent(op, self._connection, session, message.message_id, digest, message.prompt)
        self._log.write(record)
        self._in_flight += 1
        assert self._line is not None
        self._line.ask(
            "send_message",
            {"session_id": session, "text": text, "client_message_id": message.message_id},
            lambda ack: self._answered(op, message, ack),
            lambda why: self._unanswered(op, message, why),
        )

    def _answered(self, op: int, message: Message, ack: Ack) -> None:
        self._in_flight -= 1
        self._changed.set()
        if ack["ok"]:
            seq = ack["data"]["message"]["seq"]
            self._log.write(h.Acked(op, True, "", seq, ack["data"]["duplicate"]))
            if message.seq is None:
                message.seq = seq
                self._sent.append(message)
                self._count_ack()
                if message.prompt:
                    self.prompts.append(message)
            return
        code = ack["error"]["code"]
        self._log.write(h.Acked(op, False, code, None, False))
        if code in RETRY and message.seq is None:
            self._pending[message.message_id] = message
            asyncio.get_running_loop().call_later(self._rng.uniform(0.05, 0.3), self._resend)

    def _unanswered(self, op: int, message: Message, why: str) -> None:
        self._in_flight -= 1
        self._log.write(h.Unknown(op, why[:100]))
        if message.seq is None:
            self._pending[message.message_id] = message
        self._changed.set()

    def _resend(self) -> None:
        if self._up:
            pending, self._pending = self._pending, {}
            for message in pending.values():
                self._transmit(message, message.text)

    def _change(self, message: Message, text: str | None) -> None:
        if message.deleted or message.seq is None:
            return
        session, seq = self.standings[message.room].session, message.seq
        action, payload = "edit_message", {"session_id": session, "seq": seq}
        if text is None:
            action, message.deleted = "delete_message", True
        else:
            payload["text"] = text

        def answered(ack: Ack) -> None:
            code = "" if ack["ok"] else ack["error"]["code"]
            changed = ack["data"]["event"]["seq"] if ack["ok"] else None
            digest = h.digest(text) if text is not None else ""
            self._log.write(
                h.Changed(self._connection, session, action, seq, code, changed, digest)
            )

        assert self._line is not None
        self._line.ask(action, payload, answered, lambda why: None)

    def _probe(self, session: str, action: str) -> None:
        payload: dict[str, Any] = {"session_id": session}
        match action:
            case "send_message":
                payload |= {"text": "let me in", "client_message_id": f"{self.name}-probe"}
            case "mark_read":
                payload["seq"] = 1
            case "set_typing":
                payload["typing"] = True
        assert self._line is not None
        self._line.ask(
            action, payload, lambda ack: self._probed(session, action, ack), lambda why: None
        )

    def _probed(self, session: str, action: str, ack: Ack) -> None:
        code = "" if ack["ok"] else ack["error"]["code"]
        self._log.write(h.Probed(self._connection, session, action, code))

    async def _return(self, standing: Standing) -> None:
        await self.until(lambda: not self._pending and not self._in_flight)
        standing.away = True
        await self.through(lambda: self._leave(standing))
        await self.through(lambda: self._peep(standing.session))
        standing.away = False
        await self.through(lambda: self.join(standing))

    async def _leave(self, standing: Standing) -> None:
        def note(ack: Ack) -> None:
            # Refused: an earlier try got through.
            if ack["ok"] or ack["error"]["code"] in ("not_found", "not_member"):
                self._log.write(h.Left(self._connection, standing.session))
                standing.live = None

        with suppress(Refusal):
            await self.surely("leave_session", {"session_id": standing.session}, note)

    async def _peep(self, session: str) -> None:
        payload = {"session_id": session, "after_seq": 0, "limit": 1}
        await self._call(
            "get_history", payload, lambda ack: self._probed(session, "get_history", ack)
        )

    # --- coming to rest --------------------------------------------------------------------------

    async def see_prompts_ended(self) -> None:
        """Returns when every reply it asked for has ended."""
        for prompt in self.prompts:
            session = self.standings[prompt.room].session
            payload = {"session_id": session, "prompt_seq": prompt.seq}
            while True:
                found = await self.through(lambda p=payload: self.surely("get_reply", p))
                if found["reply"] is None or found["reply"]["state"] in TERMINAL:
                    break
                await asyncio.sleep(0.1)

    async def rejoin(self) -> None:
        """Joins everything once more, on the connection it has if that lives."""
        for standing in self.standings.values():
            await self.through(lambda s=standing: self.join(s))
        self._log.write(h.Settled(self._connection))


class Refusal(Exception):
    """An error that is not retryable."""


def seen(event: dict[str, Any]) -> h.Seen:
    data = event["data"]
    text = data.get("text")
    return h.Seen(
        seq=event["seq"],
        type=event["type"],
        sender=event["sender"]["id"],
        message_id=data.get("client_message_id"),
        reply_id=data.get("reply_id"),
        digest=h.digest(text) if text else "",
    )
