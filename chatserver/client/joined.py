"""The sessions that a client has joined."""

from typing import Any

from chatserver.chat.commands import Joined
from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.events import Signal, Welcome
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
        self._own_id = ""

    def all(self) -> list[ChatSession]:
        """Without those that are being joined."""
        return [self._sessions[state.id] for state in self._states.values() if state.joined]

    async def join(
        self, calls: Calls, session_id: str, after_seq: int | None, invite: str | None
    ) -> ChatSession:
        """Again for the same session: the same object, unless one is about to leave it."""
        while (known := self._states.get(session_id)) is not None:
            if known.leaving:
                known.end(None)
                break
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
            joined = read(Joined, await calls.repeat("join_session", payload))
            state.snapshot(joined, self._own_id)
        except BaseException:
            self._forget(state)
            state.replies.notify()
            raise
        return session

    async def rejoin(self, ask: Ask) -> None:
        """Brings all of them back on a new connection. Raises what would hit every one."""
        for state in list(self._states.values()):
            if state.over or state.resume_after is None:
                continue
            if state.leaving:
                await state.leave_again(ask)
                continue
            payload = {"session_id": state.id, "after_seq": state.resume_after}
            try:
                joined = await ask("join_session", payload)
            except ChatError as error:
                if error.retryable or isinstance(error, Unauthorized):
                    raise
                state.end(error)
            else:
                state.snapshot(read(Joined, joined), self._own_id)
                await state.settle_replies(ask)

    def hear(self, heard: Event | Signal) -> None:
        state = self._states.get(getattr(heard, "session_id", ""))
        if isinstance(heard, Event):
            if state is not None:
                state.hear_event(heard)
        elif state is not None:
            state.hear_signal(heard)
        else:
            if isinstance(heard, Welcome):
                self._own_id = heard.participant.id
            tell(self.watchers, heard)

    def wake(self) -> None:
        """Makes everybody who waits look at the client again."""
        for state in self._states.values():
            state.replies.notify()

    def _forget(self, state: SessionState) -> None:
        if self._states.get(state.id) is state:
            del self._states[state.id], self._sessions[state.id]
