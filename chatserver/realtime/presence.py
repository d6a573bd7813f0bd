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
        counts = self._counts.setdefault(session_id, Counter())
        counts[who.id] += 1
        if counts[who.id] == 1:
            self._emit(
                session_id, PresenceChanged(session_id=session_id, participant=who, online=True)
            )

    def exit(self, session_id: str, who: Participant) -> None:
        counts = self._counts.get(session_id)
        if counts is None or who.id not in counts:
            return
        counts[who.id] -= 1
        if counts[who.id]:
            return
        del counts[who.id]
        if not counts:
            del self._counts[session_id]
        self._emit(
            session_id, PresenceChanged(session_id=session_id, participant=who, online=False)
        )

    def online(self, session_id: str) -> frozenset[str]:
        return frozenset(self._counts.get(session_id, ()))


class Typing:
    """Passes on changes only, and ends what nobody ended."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def changed(self, signal: TypingChanged) -> None:
        key = (signal.session_id, signal.participant.id)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if signal.typing:
            ended = signal.model_copy(update={"typing": False})
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(TYPING_SECONDS, self.changed, ended)
        if signal.typing != (timer is not None):
            self._emit(signal.session_id, signal)

    def stop(self, session_id: str, who: Participant) -> None:
        """They left, or said what they were writing."""
        if (session_id, who.id) in self._timers:
            self.changed(TypingChanged(session_id=session_id, participant=who, typing=False))
