"""What is known of a joined session, and who waits for more of it."""

import logging
from collections.abc import Callable
from typing import Any

from chatserver.chat.commands import Joined, ReplyFound
from chatserver.chat.errors import ChatError, NotFound, Unauthorized
from chatserver.chat.events import PresenceChanged, ReadChanged, SessionDeleted, Signal
from chatserver.chat.models import Event, EventType, Member, Participant, Session
from chatserver.client.inflow import Inflow
from chatserver.client.link import Ask
from chatserver.client.replies import Replies
from chatserver.client.wire import read

log = logging.getLogger("chatserver.client")

Watcher = Callable[[Signal], None]


class SessionState:
    """Takes in snapshots, events and signals. `forget` is called when no more will come."""

    def __init__(
        self, session_id: str, after_seq: int | None, forget: Callable[[str], None]
    ) -> None:
        self.id = session_id
        self.members: dict[str, Member] = {}
        self.inflow = Inflow(after_seq)
        self.replies = Replies()
        self.watchers: list[Watcher] = []
        self.over = False
        self.error: Exception | None = None
        self._info: Session | None = None
        self._forget = forget

    @property
    def info(self) -> Session:
        assert self._info is not None, "only a joined session is handed out"
        return self._info.model_copy(update={"last_seq": self.inflow.known})

    @info.setter
    def info(self, session: Session) -> None:
        self._info = session

    @property
    def joined(self) -> bool:
        return self._info is not None

    @property
    def resume_after(self) -> int | None:
        """The last seq it has, for joining again; None before the first join was acknowledged:
        only who joins knows the invite.
        """
        return self.inflow.tail if self.joined else None

    def snapshot(self, joined: Joined) -> None:
        self._info = joined.session
        self.members = {m.participant.id: m for m in joined.members}
        self.inflow.begin(joined.from_seq - 1)
        self.inflow.known = max(self.inflow.known, joined.to_seq)
        for event in joined.events:
            self.hear_event(event)
        self.replies.snapshot(joined.replies)

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
        self._follow(event)
        self.replies.read(event)
        self.replies.notify()

    def hear_signal(self, signal: Signal) -> None:
        self.replies.hear(signal)
        match signal:
            case SessionDeleted():
                self.end(None)
            case PresenceChanged():
                self._change_member(signal.participant.id, online=signal.online)
            case ReadChanged():
                self._change_member(signal.participant_id, read_seq=signal.seq)
            case _:
                pass
        tell(self.watchers, signal)

    def end(self, error: Exception | None) -> None:
        """No more will come: left, deleted, or refused with `error`."""
        self.over = True
        self.error = error
        self._forget(self.id)
        self.replies.notify()

    def check(self) -> None:
        """Raises where it is over."""
        if self.error is not None:
            raise self.error
        if self.over:
            raise NotFound("the session was left or deleted")

    def _follow(self, event: Event) -> None:
        data = event.data
        match event.type:
            case EventType.PARTICIPANT_JOINED:
                who = read(Participant, data["participant"])
                known = self.members.get(who.id)
                self.members[who.id] = Member(
                    participant=who,
                    role=data["role"],
                    joined_at=event.created_at,
                    read_seq=data.get("read_seq", known.read_seq if known else 0),
                    online=known.online if known else False,
                )
            case EventType.PARTICIPANT_LEFT:
                self.members.pop(data["participant"]["id"], None)
            case EventType.SESSION_UPDATED:
                if self._info is not None and event.seq >= self.inflow.known:
                    merged = self._info.model_dump() | data
                    self._info = read(Session, merged)
            case _:
                pass

    def _change_member(self, participant_id: str, **change: Any) -> None:
        if member := self.members.get(participant_id):
            self.members[participant_id] = member.model_copy(update=change)


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
