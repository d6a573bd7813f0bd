"""Plays a program, and keeps what the people in it were told."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from chatserver.chat.commands import (
    AddBot,
    CreateSession,
    DeleteMessage,
    EditMessage,
    RemoveBot,
    RetryReply,
    SendMessage,
    StopReply,
    UpdateSession,
)
from chatserver.chat.errors import ChatError
from tests.property.programs import (
    AwaitText,
    Delete,
    Drain,
    Edit,
    Kill,
    Outage,
    Pause,
    Program,
    Retry,
    Send,
    SetMember,
    SetPolicy,
    Start,
    Step,
    Stop,
    Wait,
)
from tests.property.stage import Stage, somebody

TEXT_SECONDS = 5.0


@dataclass
class Sent:
    """A message as one client sent it, maybe more than once."""

    session_id: str
    client_message_id: str
    mentions: tuple[str, ...]
    seqs: set[int] = field(default_factory=set)
    """Those of its acks."""

    @property
    def text(self) -> str:
        return " ".join([f"message {self.client_message_id}", *(f"@{m}" for m in self.mentions)])


class Play:
    """One program on its stage, played by one person who owns all sessions."""

    def __init__(self, program: Program, stage: Stage, bots: list[str]) -> None:
        self._program = program
        self._stage = stage
        self._service = stage.service
        self._bots = bots
        self.sessions: list[str] = []
        self.sent: list[Sent] = []
        self.retried: set[str] = set()
        """The replies that a retry was promised."""

    async def perform(self) -> None:
        self._ada = await somebody(self._stage, "Ada")
        for _ in range(self._program.sessions):
            wish = CreateSession(bot=self._bots[0], bot_turns=self._program.turns)
            session_id = (await self._service.create_session(self._ada, wish)).session.id
            for bot in self._bots[1:]:
                await self._service.add_bot(self._ada, AddBot(session_id=session_id, bot=bot))
            self.sessions.append(session_id)
        self._stage.store.sessions = self.sessions
        self._stage.hints = self._program.hints
        for together in self._program.steps:
            await asyncio.gather(*[self._do(step) for step in together])

    async def _do(self, step: Step) -> None:
        stage = self._stage
        match step:
            case Wait():
                await asyncio.sleep(step.seconds)
            case AwaitText():
                await self._await_text()
            case Kill(transaction=0):
                await stage.kill_worker(step.worker, recover=step.recover)
            case Kill():
                stage.doom_worker(
                    step.worker, step.transaction, committed=step.committed, recover=step.recover
                )
            case Drain():
                await stage.drain_worker(step.worker)
            case Start():
                await stage.start_worker()
            case Pause():
                await stage.pause_worker(step.worker, step.seconds)
            case Outage():
                await stage.outage(step.seconds)
            case _:
                # May be refused: ended already, deleted, too many waiting, the store away.
                with suppress(ChatError):
                    await self._ask(step)

    async def _ask(self, step: Send | Stop | Retry | Edit | Delete | SetPolicy | SetMember) -> None:
        service, ada = self._service, self._ada
        match step:
            case Send():
                await self._send(step)
            case Stop():
                if reply := self._pick_reply(step.pick, "queued", "running"):
                    await service.stop_reply(ada, StopReply(session_id=reply[0], reply_id=reply[1]))
            case Retry():
                if reply := self._pick_reply(step.pick, "failed", "stopped"):
                    wish = RetryReply(session_id=reply[0], reply_id=reply[1])
                    self.retried.add((await service.retry_reply(ada, wish)).reply.reply_id)
            case Edit():
                if place := self._pick_message(step.pick):
                    edit = EditMessage(session_id=place[0], seq=place[1], text="changed @bob")
                    await service.edit_message(ada, edit)
            case Delete():
                if place := self._pick_message(step.pick):
                    erase = DeleteMessage(session_id=place[0], seq=place[1])
                    await service.delete_message(ada, erase)
            case SetPolicy():
                update = UpdateSession(
                    session_id=self._session(step.session), reply_policy=step.policy
                )
                await service.update_session(ada, update)
            case SetMember(member=True):
                add = AddBot(session_id=self._session(step.session), bot=step.bot)
                await service.add_bot(ada, add)
            case SetMember():
                remove = RemoveBot(session_id=self._session(step.session), bot=step.bot)
                await service.remove_bot(ada, remove)
            case _:
                assert_never(step)

    async def _send(self, step: Send) -> None:
        session_id = self._session(step.session)
        before = [sent for sent in self.sent if sent.session_id == session_id]
        if step.repeat and before:
            sent = before[-1]
        else:
            sent = Sent(session_id, f"{len(self.sent)}", step.mentions)
            self.sent.append(sent)
        message = SendMessage(
            session_id=session_id, text=sent.text, client_message_id=sent.client_message_id
        )
        ack = await self._service.send_message(self._ada, message)
        sent.seqs.add(ack.message.seq)

    async def _await_text(self) -> None:
        self._stage.text_came.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stage.text_came.wait(), TEXT_SECONDS)

    def _session(self, number: int) -> str:
        return self.sessions[number % len(self.sessions)]

    def _pick_reply(self, pick: int, *preferred: str) -> tuple[str, str] | None:
        """The session and the id; the newest first, before them those in a preferred state."""
        rows = self._stage.rows("SELECT session, id, state FROM reply ORDER BY rowid DESC")
        rows.sort(key=lambda row: row["state"] not in preferred)
        return (rows[pick % len(rows)]["session"], rows[pick % len(rows)]["id"]) if rows else None

    def _pick_message(self, pick: int) -> tuple[str, int] | None:
        places = [(sent.session_id, seq) for sent in self.sent for seq in sent.seqs]
        return places[-1 - pick % len(places)] if places else None
