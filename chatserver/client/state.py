"""What is known of a joined session, and who waits for more of it."""

import logging
from collections.abc import Callable
from typing import Any

from chatserver.chat.commands import Joined, ReplyFound
from chatserver.chat.errors import ChatError, NotFound, Unauthorized
from chatserver.chat.events import PresenceChanged, ReadChanged, SessionDeleted, Signal
from chatserver.chat.models import Event, Member, Session
from chatserver.client.inflow import Inflow
from chatserver.client.link import Ask
from chatserver.client.replies import Replies
from chatserver.client.standing import Standing
from chatserver.client.wire import read

log = logging.getLogger("chatserver.client")

Watcher = Callable[[Signal], None]


class SessionState:
    """Takes in snapshots, events and signals. `forget` is called when no more will come."""

    def __init__(
        self, session_id: str, after_seq: int | None, forget: Callable[["SessionState"], None]
    ) -> None:
        self.id = session_id
        self.inflow = Inflow(after_seq)
        self.replies = Replies()
        self.watchers: list[Watcher] = []
        self.leaving = False
        """Whether one asked to leave; it is not joined again then, whatever became of that."""
        self.over = False
        self.error: Exception | None = None
        self._standing = Standing()
        self._own_id = ""
        self._forget = forget

    @property
    def info(self) -> Session:
        info = self._standing.info
        assert info is not None, "only a joined session is handed out"
        return info.model_copy(update={"last_seq": self.inflow.known})

    @info.setter
    def info(self, session: Session) -> None:
        self._standing.info = session

    @property
    def members(self) -> dict[str, Member]:
        return self._standing.members

    @property
    def joined(self) -> bool:
        return self._standing.info is not None

    @property
    def resume_after(self) -> int | None:
        """The last seq it has, for joining again; None before the first join was acknowledged:
        only who joins knows the invite.
        """
        return self.inflow.tail if self.joined else None

    def snapshot(self, joined: Joined, own_id: str) -> None:
        """What a join of the participant `own_id` was told."""
        self._own_id = own_id
        self._standing.snapshot(joined)
        self.inflow.begin(joined.from_seq - 1)
        self.inflow.known = max(self.inflow.known, joined.to_seq)
        for event in joined.events:
            self.hear_event(event)
        self.replies.snapshot(joined.replies)
        self._end_if_left()

    async def leave_again(self, ask: Ask) -> None:
        """Where a connection ended before it was known whether one had left."""
        try:
            await ask("leave_session", {"session_id": self.id})
        except ChatError as error:
            if error.retryable or isinstance(error, Unauthorized):
                raise
            # One is no member any more: it had taken effect.
        self.end(None)

    async def settle_replies(self, ask: Ask) -> None:
        """Asks what became of the replies that the last join did not list: one that ended without
        a message left nothing in the log.
        """
        for reply_id in tuple(self.replies.doubtful):
            try:
                found = await ask("get_reply", {"session_id": self.id, "reply_id": reply_id})
            except ChatError as error:
                if error.retryable or isinstance(error, Unauthorized):
                    raise
                # Left or deleted meanwhile; that is heard too, and ends the session.
                return
            self.settle(found)

    def settle(self, ack: Any) -> None:
        if (outcome := read(ReplyFound, ack).reply) is not None:
            self.replies.settle(outcome)

    def hear_event(self, event: Event) -> None:
        self.inflow.offer([event])
        self._standing.hear(event)
        self.replies.read(event)
        self.replies.notify()
        self._end_if_left()

    def hear_signal(self, signal: Signal) -> None:
        self.replies.hear(signal)
        match signal:
            case SessionDeleted():
                self.end(None)
            case PresenceChanged():
                self._standing.change_member(signal.participant.id, online=signal.online)
            case ReadChanged():
                self._standing.change_member(signal.participant_id, read_seq=signal.seq)
            case _:
                pass
        tell(self.watchers, signal)

    def end(self, error: Exception | None) -> None:
        """No more will come: left, deleted, or refused with `error`. The first end stays."""
        if self.over:
            return
        self.over = True
        self.error = error
        self._forget(self)
        self.replies.notify()

    def check(self) -> None:
        """Raises where it is over."""
        if self.error is not None:
            raise self.error
        if self.over:
            raise NotFound("the session was left or deleted")

    def _end_if_left(self) -> None:
        """Left elsewhere, by the newest that is known: who came back since is a member."""
        if self.joined and self._own_id not in self.members:
            self.end(None)


def tell(watchers: list[Watcher], signal: Signal) -> None:
    """All of them, whatever one of them raises: its defect is not the connection's."""
    for watcher in tuple(watchers):
        try:
            watcher(signal)
        except Exception:
            log.exception("a watcher raised")


def watching(watchers: list[Watcher], watcher: Watcher) -> Callable[[], None]:
    """Adds one; returns how to take it away, which may be repeated."""
    watchers.append(watcher)

    def stop() -> None:
        if watcher in watchers:
            watchers.remove(watcher)

    return stop
