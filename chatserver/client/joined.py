"""The sessions that a client has joined."""

from typing import Any

from chatserver.chat.commands import Joined
from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.events import Signal
from chatserver.chat.models import Event
from chatserver.client.calls import Calls
from chatserver.client.link import Ask
from chatserver.client.session import ChatSession
from chatserver.client.state import SessionState, Watcher, tell
from chatserver.client.wire import read


class JoinedSessions:
    """Joins, joins again after every reconnect, and passes on what each is told."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        """Who hears the signals that are about no joined session."""
        self._states: dict[str, SessionState] = {}
        self._sessions: dict[str, ChatSession] = {}

    def all(self) -> list[ChatSession]:
        """Without those that are being joined."""
        return [self._sessions[state.id] for state in self._states.values() if state.joined]

    async def join(
        self, calls: Calls, session_id: str, after_seq: int | None, invite: str | None
    ) -> ChatSession:
        """Again for the same session: the same object."""
        while (known := self._states.get(session_id)) is not None:
            if known.joined:
                return self._sessions[session_id]
            # Somebody else is at it; where that fails, we try.
            await known.replies.changed.wait()
        state = SessionState(session_id, after_seq, self._forget)
        session = ChatSession(state, calls)
        self._states[session_id], self._sessions[session_id] = state, session
        payload: dict[str, Any] = {"session_id": session_id}
        if after_seq is not None:
            payload["after_seq"] = after_seq
        if invite is not None:
            payload["invite"] = invite
        try:
            state.snapshot(read(Joined, await calls.repeat("join_session", payload)))
        except BaseException:
            self._forget(session_id)
            state.replies.notify()
            raise
        return session

    async def rejoin(self, ask: Ask) -> None:
        """Brings all of them back on a new connection. Raises what would hit every one."""
        for state in list(self._states.values()):
            if state.resume_after is None:
                continue
            payload = {"session_id": state.id, "after_seq": state.resume_after}
            try:
                joined = await ask("join_session", payload)
            except ChatError as error:
                if error.retryable or isinstance(error, Unauthorized):
                    raise
                state.end(error)
            else:
                state.snapshot(read(Joined, joined))
                await state.settle_replies(ask)

    def hear(self, heard: Event | Signal) -> None:
        state = self._states.get(getattr(heard, "session_id", ""))
        if isinstance(heard, Event):
            if state is not None:
                state.hear_event(heard)
        elif state is not None:
            state.hear_signal(heard)
        else:
            tell(self.watchers, heard)

    def wake(self) -> None:
        """Makes everybody who waits look at the client again."""
        for state in self._states.values():
            state.replies.notify()

    def _forget(self, session_id: str) -> None:
        self._states.pop(session_id, None)
        self._sessions.pop(session_id, None)
