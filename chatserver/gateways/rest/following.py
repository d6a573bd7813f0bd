"""Following a session: the log from a cursor on without a hole, and then what happens."""

from collections.abc import AsyncIterator

from chatserver.chat.commands import MAX_PAGE, FollowSession, GetHistory, Joined
from chatserver.chat.errors import ChatError, Draining, NotMember
from chatserver.chat.events import ReplyDelta, ServerDraining, SessionDeleted, Signal
from chatserver.chat.models import Event, EventType
from chatserver.chat.ports import Visitor
from chatserver.chat.service import ChatService
from chatserver.chat.sessions import RECOVERY_EVENTS
from chatserver.gateways.rest import frames


class Following:
    """Every event after `cursor` comes once, in the order of `seq`, however many were missed.

    Most of them are paged for before the room is entered: who reads them slowly holds up nobody,
    and nothing piles up meanwhile. What a page leaves and what is live then meet in the room.
    """

    def __init__(
        self,
        chat: ChatService,
        visitor: Visitor,
        session_id: str,
        cursor: int,
        behind: int,
        *,
        shows_signals: bool,
    ) -> None:
        """`behind`: so many events came after the cursor, and maybe more by now."""
        self.visitor = visitor
        self._chat = chat
        self._session_id = session_id
        self._cursor = cursor
        self._behind = behind
        self._shows_signals = shows_signals
        self._is_draining = False

    async def frames(self) -> AsyncIterator[bytes]:
        """To be iterated once. Ends after `session_deleted`.

        Raises what `Visitor.heard` and the use cases raise, and `NotMember` for who left.
        """
        if self._behind > RECOVERY_EVENTS:
            async for event in self._paged():
                yield frames.durable(event)
        command = FollowSession(session_id=self._session_id, after_seq=self._cursor)
        joined = await self.visitor.perform(command)
        assert isinstance(joined, Joined)
        if not joined.complete:
            async for event in self._paged(joined.from_seq - 1):
                yield frames.durable(event)
        for event in joined.events:
            yield frames.durable(event)
        if self._shows_signals:
            for said in _said(joined):
                yield frames.ephemeral(said)
        async for frame in self._live():
            yield frame

    def farewell(self, reason: ChatError) -> bytes:
        """What the client is told last, where the stream ends for this reason."""
        if not isinstance(reason, Draining):
            return frames.failure(reason)
        if self._is_draining:
            return b""
        return frames.draining(ServerDraining(reconnect_after_ms=frames.RETRY_MS))

    async def _paged(self, last: int | None = None) -> AsyncIterator[Event]:
        """The log after the cursor, to the event `last` or (None) as far as it goes."""
        is_complete = False
        while not is_complete and self._cursor != last:
            command = GetHistory(
                session_id=self._session_id, after_seq=self._cursor, limit=MAX_PAGE
            )
            page = await self._chat.get_history(self.visitor.participant, command)
            is_complete = page.complete
            for event in page.events:
                if last is None or event.seq <= last:
                    self._cursor = event.seq
                    yield event

    async def _live(self) -> AsyncIterator[bytes]:
        async for heard in self.visitor.heard():
            match heard:
                case Event():
                    yield frames.durable(heard)
                    if self._is_leaving(heard):
                        raise NotMember("you have left this session")
                case ServerDraining():
                    self._is_draining = True
                    yield frames.draining(heard)
                case SessionDeleted(session_id=self._session_id):
                    yield frames.ephemeral(heard)
                    return
                case Signal() if self._shows_signals and self._is_here(heard):
                    yield frames.ephemeral(heard)

    def _is_leaving(self, event: Event) -> bool:
        left = event.type is EventType.PARTICIPANT_LEFT
        return left and bool(event.data["participant"]["id"] == self.visitor.participant.id)

    def _is_here(self, signal: Signal) -> bool:
        return getattr(signal, "session_id", None) == self._session_id


def _said(joined: Joined) -> list[ReplyDelta]:
    """What running replies have said so far; their next deltas continue it."""
    return [
        ReplyDelta(
            session_id=reply.session_id,
            reply_id=reply.reply_id,
            attempt=reply.attempt,
            offset=0,
            text=reply.text,
        )
        for reply in joined.replies
        if reply.text
    ]
