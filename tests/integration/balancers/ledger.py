"""What was acknowledged, and whether the log agrees."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, field

from chatserver.chat.models import Event
from chatserver.client import ChatSession


@dataclass
class Ledger:
    """Acks of all clients: the seq by session and client_message_id."""

    acked: dict[str, dict[str, int]] = field(default_factory=dict)
    count: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, message: Event) -> None:
        of_session = self.acked.setdefault(message.session_id, {})
        of_session[message.data["client_message_id"]] = message.seq
        self.count += 1
        self._grown.set()

    async def reaches(self, count: int) -> None:
        """Returns when so many messages were acknowledged."""
        while self.count < count:
            self._grown.clear()
            await self._grown.wait()

    def check(self, session_id: str, log: list[Event]) -> None:
        """Every acked message is there once, with its seq, in a log without a hole."""
        assert [event.seq for event in log] == list(range(1, len(log) + 1)), "a hole in the log"
        stored = Counter(
            (event.sender.id, event.data["client_message_id"])
            for event in log
            if "client_message_id" in event.data
        )
        assert not [key for key, times in stored.items() if times > 1], "stored twice"
        seqs = {e.data["client_message_id"]: e.seq for e in log if "client_message_id" in e.data}
        lost = {
            message_id: seq
            for message_id, seq in self.acked.get(session_id, {}).items()
            if seqs.get(message_id) != seq
        }
        assert not lost, f"acknowledged, but not in the log: {lost}"


async def keep_sending(session: ChatSession, ledger: Ledger, stop: asyncio.Event) -> None:
    """Sends one message after the other, each until it is acked."""
    number = 0
    while not stop.is_set():
        number += 1
        message_id = secrets.token_urlsafe(9)
        sent = await session.send(f"message {number}", message_id, within=60)
        assert sent.data["client_message_id"] == message_id
        ledger.record(sent)


async def read_log(session: ChatSession) -> list[Event]:
    """All of it, from the store."""
    log: list[Event] = []
    while True:
        page = await session.history(after_seq=log[-1].seq if log else 0, limit=200)
        log += page.events
        if page.complete:
            return log
