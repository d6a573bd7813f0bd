"""One client of the crowd: a member who does the steps of a program, and gives no message up."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults import history as h
from tests.faults.line import Ack, Gone
from tests.faults.member import RETRY, Member, Refusal, Standing
from tests.faults.program import Change, Pause, Probe, Repeat, Return, Say, Step
from tests.waiting import eventually

WINDOW = 16
"""Messages that are not determined yet, after which a client sends no more."""
REMEMBERED = 30
"""Acked messages that may be repeated or changed."""
REPLY_SECONDS = 300.0
TERMINAL = {"done", "failed", "stopped"}


@dataclass(slots=True)
class Message:
    room: int
    message_id: str
    text: str
    prompt: bool
    seq: int | None = None
    deleted: bool = False


class Client:
    """Between `start` and `close`; does its steps while `going` is set."""

    def __init__(
        self,
        member: Member,
        steps: Iterator[Step],
        sessions: dict[int, str],
        going: asyncio.Event,
        acked: Callable[[], None],
    ) -> None:
        """`sessions` are the ids of all rooms, by number. `acked` hears of each message once."""
        self.member = member
        self.tasks: list[asyncio.Task[None]] = []
        """They end by `close` alone, or by a defect of the crowd's."""
        member.came_up = self._resend
        self._steps = steps
        self._sessions = sessions
        self._going = going
        self._count_ack = acked
        self._idle = True
        self._op = 0
        self._said = 0
        self._in_flight = 0
        self._pending: dict[str, Message] = {}
        self._acked: deque[Message] = deque(maxlen=REMEMBERED)
        self._prompts: list[Message] = []

    async def start(self) -> None:
        """Returns once it is connected."""
        self.tasks = [await self.member.start(), asyncio.create_task(self._work())]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.member.close()

    def is_determined(self) -> bool:
        """No step is under way, and nothing waits for an answer or for another try."""
        return self._idle and not self._undetermined

    async def see_prompts_ended(self) -> None:
        """Returns when every reply it asked for has ended."""
        member = self.member
        for prompt in self._prompts:
            session = member.standings[prompt.room].session
            payload = {"session_id": session, "prompt_seq": prompt.seq}
            try:
                await eventually(partial(self._has_ended, payload), within=REPLY_SECONDS)
            except Refusal as refusal:
                member.problems.append(f"{member.name} may not know of its reply: {refusal}")

    async def rejoin(self) -> None:
        """Joins everything once more, on the connection it has if that lives."""
        for standing in self.member.standings.values():
            await self.member.through(partial(self.member.join, standing))
        self.member.log.write(h.Settled(self.member.connection))

    async def _has_ended(self, payload: dict[str, Any]) -> bool:
        ask = partial(self.member.surely, "get_reply", payload)
        reply = (await self.member.through(ask))["reply"]
        return reply is None or reply["state"] in TERMINAL

    @property
    def _undetermined(self) -> int:
        return self._in_flight + len(self._pending)

    async def _work(self) -> None:
        for step in self._steps:
            self._idle = True
            self.member.changed()
            await self._going.wait()
            await self.member.until(lambda: self.member.up and self._undetermined < WINDOW)
            self._idle = False
            with suppress(Gone):  # it is done as far as it could be; sends go on by themselves
                await self._perform(step)

    async def _perform(self, step: Step) -> None:
        match step:
            case Say():
                self._said += 1
                message_id = f"{self.member.name}-{self._said}"
                self._transmit(Message(step.room, message_id, step.text, step.prompt), step.text)
            case Repeat():
                if (message := self._remembered(step.back)) is not None:
                    self._transmit(message, step.text or message.text)
            case Change():
                if (message := self._remembered(step.back)) is not None:
                    self._change(message, step.text)
            case Return():
                await self._return(self.member.standings[step.room])
            case Probe():
                self._probe(self._sessions[step.room], step.action)
            case Pause():
                await asyncio.sleep(step.seconds)

    def _remembered(self, back: int) -> Message | None:
        return self._acked[-1 - back] if back < len(self._acked) else None

    def _ask(
        self,
        event: str,
        payload: dict[str, Any],
        answered: Callable[[Ack], None],
        lost: Callable[[str], None] = lambda why: None,
    ) -> None:
        assert self.member.line is not None, "it was connected once"
        self.member.line.ask(event, payload, answered, lost)

    # --- messages --------------------------------------------------------------------------------

    def _transmit(self, message: Message, text: str) -> None:
        session, message_id = self.member.standings[message.room].session, message.message_id
        self._op += 1
        self._in_flight += 1
        self.member.log.write(
            h.Sent(
                op=self._op,
                connection=self.member.connection,
                session=session,
                message_id=message_id,
                digest=h.digest(text),
                prompt=message.prompt,
            )
        )
        self._ask(
            "send_message",
            {"session_id": session, "text": text, "client_message_id": message_id},
            partial(self._answered, self._op, message),
            partial(self._unanswered, self._op, message),
        )

    def _answered(self, op: int, message: Message, ack: Ack) -> None:
        self._in_flight -= 1
        self.member.changed()
        if not ack["ok"]:
            code = ack["error"]["code"]
            self.member.log.write(h.Acked(op, False, code, None, False))
            if code in RETRY and message.seq is None:
                self._pending[message.message_id] = message
                loop = asyncio.get_running_loop()
                loop.call_later(self.member.pause(), self._resend)
            return
        seq = ack["data"]["message"]["seq"]
        self.member.log.write(h.Acked(op, True, "", seq, ack["data"]["duplicate"]))
        if message.seq is None:
            message.seq = seq
            self._acked.append(message)
            if message.prompt:
                self._prompts.append(message)
            self._count_ack()

    def _unanswered(self, op: int, message: Message, why: str) -> None:
        self._in_flight -= 1
        self.member.log.write(h.Unknown(op, why))
        if message.seq is None:
            self._pending[message.message_id] = message
        self.member.changed()

    def _resend(self) -> None:
        if self.member.up:
            pending, self._pending = self._pending, {}
            for message in pending.values():
                self._transmit(message, message.text)

    # --- everything else -------------------------------------------------------------------------

    def _change(self, message: Message, text: str | None) -> None:
        if message.deleted or message.seq is None:
            return
        session = self.member.standings[message.room].session
        payload: dict[str, Any] = {"session_id": session, "seq": message.seq}
        action = "delete_message"
        if text is None:
            message.deleted = True
        else:
            action = "edit_message"
            payload["text"] = text
        digest = "" if text is None else h.digest(text)
        self._ask(action, payload, partial(self._note_change, session, action, message.seq, digest))

    def _note_change(self, session: str, action: str, of: int, digest: str, ack: Ack) -> None:
        self.member.log.write(
            h.Changed(
                connection=self.member.connection,
                session=session,
                action=action,
                of=of,
                code=_code(ack),
                seq=ack["data"]["event"]["seq"] if ack["ok"] else None,
                digest=digest,
            )
        )

    def _probe(self, session: str, action: str) -> None:
        payload: dict[str, Any] = {"session_id": session}
        match action:
            case "send_message":
                payload |= {"text": "let me in", "client_message_id": f"{self.member.name}-probe"}
            case "mark_read":
                payload["seq"] = 1
            case "set_typing":
                payload["typing"] = True
        self._ask(action, payload, partial(self._note_probe, session, action))

    def _note_probe(self, session: str, action: str, ack: Ack) -> None:
        self.member.log.write(h.Probed(self.member.connection, session, action, _code(ack)))

    async def _return(self, standing: Standing) -> None:
        member = self.member
        await member.until(lambda: not self._undetermined)
        standing.away = True
        await member.through(partial(self._leave, standing))
        peep = {"session_id": standing.session, "after_seq": 0, "limit": 1}
        note = partial(self._note_probe, standing.session, "get_history")
        await member.through(partial(member.call, "get_history", peep, note))
        standing.away = False
        await member.through(partial(member.join, standing))

    async def _leave(self, standing: Standing) -> None:
        def note(ack: Ack) -> None:
            # Refused, because an earlier try got through.
            if _code(ack) in ("", "not_found", "not_member"):
                self.member.log.write(h.Left(self.member.connection, standing.session))
                standing.live = None

        with suppress(Refusal):
            await self.member.surely("leave_session", {"session_id": standing.session}, note)


def _code(ack: Ack) -> str:
    """Empty where it is ok."""
    return "" if ack["ok"] else str(ack["error"]["code"])
