"""Who is in which room, and who is typing there."""

import asyncio
from collections import Counter
from collections.abc import Callable

from chatserver.chat.events import PresenceChanged, Signal, TypingChanged
from chatserver.chat.models import Participant

TYPING_SECONDS = 6.0
"""Typing ends by itself after this, should its end be lost."""

Emit = Callable[[str, Signal], None]


class Presence:
    """Counts each participant's connections per room; tells when the first comes, the last goes."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._counts: dict[str, Counter[str]] = {}

    def enter(self, session_id: str, who: Participant) -> None:
        if self._count(session_id, who):
            self._tell(session_id, who, online=True)

    def exit(self, session_id: str, who: Participant) -> None:
        if self._uncount(session_id, who):
            self._tell(session_id, who, online=False)

    def online(self, session_id: str) -> frozenset[str]:
        return frozenset(self._counts.get(session_id, ()))

    def _count(self, session_id: str, who: Participant) -> bool:
        """Whether it is their first connection to the room."""
        counts = self._counts.setdefault(session_id, Counter())
        counts[who.id] += 1
        return counts[who.id] == 1

    def _uncount(self, session_id: str, who: Participant) -> bool:
        """Whether it was their last one."""
        counts = self._counts.get(session_id)
        if counts is None or who.id not in counts:
            return False
        counts[who.id] -= 1
        if counts[who.id]:
            return False
        del counts[who.id]
        if not counts:
            del self._counts[session_id]
        return True

    def _tell(self, session_id: str, who: Participant, *, online: bool) -> None:
        self._emit(
            session_id, PresenceChanged(session_id=session_id, participant=who, online=online)
        )


class Typing:
    """Passes on changes only, and ends what nobody ended."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._timers: dict[str, dict[str, asyncio.TimerHandle]] = {}

    def __contains__(self, session_id: str) -> bool:
        """Whether anybody types there."""
        return session_id in self._timers

    def changed(self, signal: TypingChanged) -> None:
        session_id, who = signal.session_id, signal.participant.id
        timers = self._timers.setdefault(session_id, {})
        timer = timers.pop(who, None)
        if timer is not None:
            timer.cancel()
        if signal.typing:
            ended = signal.model_copy(update={"typing": False})
            loop = asyncio.get_running_loop()
            timers[who] = loop.call_later(TYPING_SECONDS, self.changed, ended)
        elif not timers:
            del self._timers[session_id]
        if signal.typing != (timer is not None):
            self._emit(signal.session_id, signal)

    def stop(self, session_id: str, who: Participant) -> None:
        """They left, or said what they were writing."""
        if who.id in self._timers.get(session_id, ()):
            self.changed(TypingChanged(session_id=session_id, participant=who, typing=False))
