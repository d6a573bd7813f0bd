"""Replies that are being written on one instance and watched on others.

Offsets are the cursor of a text: nobody is shown a hole or anything twice. A hole is asked for.
"""

from collections.abc import Callable
from typing import Any

import orjson

from chatserver.chat.events import (
    ReplyDelta,
    ReplyFinished,
    ReplySignal,
    ReplyStarted,
    ReplyStopped,
)
from chatserver.realtime.live import LiveReplies
from chatserver.realtime.manager import NAMESPACE

NAMES = {each.name for each in (ReplyStarted, ReplyDelta, ReplyFinished, ReplyStopped)}


class SharedReplies:
    """Which replies run here, and what is heard of the others."""

    def __init__(
        self,
        live: LiveReplies,
        tell: Callable[[str, ReplySignal], None],
        *,
        begun: Callable[[str], object],
        over: Callable[[str], object],
        ask: Callable[[str], object],
    ) -> None:
        """`tell` tells the members here. `begun` and `over`: the first reply of a session runs

        here, the last one no longer. `ask` asks the others for the texts of a session.
        """
        self._live = live
        self._tell = tell
        self._begun = begun
        self._over = over
        self._ask = ask
        self._here: dict[str, set[str]] = {}

    def run_here(self, session_id: str) -> bool:
        return session_id in self._here

    def of_others(self) -> list[tuple[str, str]]:
        """Session and id of each reply that is known and runs elsewhere."""
        return [
            (session_id, reply_id)
            for session_id, reply_id in self._live.ids()
            if reply_id not in self._here.get(session_id, ())
        ]

    # --- replies of this instance ----------------------------------------------------------------

    def here(self, signal: ReplySignal) -> None:
        """A reply that runs here goes on. (A stop may come from anywhere.)"""
        if isinstance(signal, ReplyStarted):
            is_first = signal.session_id not in self._here
            self._here.setdefault(signal.session_id, set()).add(signal.reply_id)
            if is_first:
                self._begun(signal.session_id)
        elif isinstance(signal, ReplyFinished | ReplyStopped):
            self.ended(signal.session_id, signal.reply_id)

    def ended(self, session_id: str, reply_id: str) -> None:
        """It does not run here (any more)."""
        replies = self._here.get(session_id, set())
        replies.discard(reply_id)
        if not replies and self._here.pop(session_id, None) is not None:
            self._over(session_id)

    def forget(self, session_id: str) -> None:
        if self._here.pop(session_id, None) is not None:
            self._over(session_id)

    def texts(self, session_id: str) -> list[dict[str, Any]]:
        """What runs here, for an instance that asks."""
        mine = self._here.get(session_id, ())
        return [
            {"started": started.wire(), "text": text}
            for started, text in self._live.texts(session_id)
            if started.reply_id in mine
        ]

    # --- replies of others -----------------------------------------------------------------------

    def overheard(self, session_id: str, body: bytes) -> None:
        """A signal about a session without members here, but with replies."""
        name, payload = orjson.loads(body[len(f"2{NAMESPACE},") :])
        if name == ReplyStarted.name:
            self._taken_over(session_id, payload["reply_id"])

    def heard(self, name: str, payload: dict[str, Any]) -> bool:
        """Whether the signal may be shown as it is."""
        match name:
            case ReplyStarted.name:
                return self._heard_start(ReplyStarted.model_validate(payload))
            case ReplyDelta.name:
                return self._heard_text(ReplyDelta.model_validate(payload))
        self._live.ended(payload["session_id"], payload["reply_id"])
        return True

    def absorb(self, session_id: str, texts: list[dict[str, Any]]) -> None:
        """What another instance has of its replies; members here are told what they lack."""
        for each in texts:
            started, text = ReplyStarted.model_validate(each["started"]), each["text"]
            if self._heard_start(started):
                self._tell(session_id, started)
            attempt, chars = self._live.progress(session_id, started.reply_id) or (0, 0)
            if attempt == started.attempt and len(text) > chars:
                self._tell(session_id, _delta(started, chars, text[chars:]))

    def _heard_start(self, started: ReplyStarted) -> bool:
        known = self._live.progress(started.session_id, started.reply_id)
        if known is not None and known[0] >= started.attempt:
            return False
        self._taken_over(started.session_id, started.reply_id)
        self._live.heard(started)
        return True

    def _heard_text(self, delta: ReplyDelta) -> bool:
        attempt, chars = self._live.progress(delta.session_id, delta.reply_id) or (0, 0)
        if delta.attempt < attempt:
            return False
        if delta.attempt > attempt or delta.offset > chars:
            self._ask(delta.session_id)
            return False
        if delta.offset == chars:
            self._live.heard(delta)
            return True
        if delta.offset + len(delta.text) > chars:
            rest = delta.text[chars - delta.offset :]
            self._tell(delta.session_id, delta.model_copy(update={"offset": chars, "text": rest}))
        return False

    def _taken_over(self, session_id: str, reply_id: str) -> None:
        if reply_id in self._here.get(session_id, ()):
            self.ended(session_id, reply_id)


def _delta(started: ReplyStarted, offset: int, text: str) -> ReplyDelta:
    return ReplyDelta(
        session_id=started.session_id,
        reply_id=started.reply_id,
        attempt=started.attempt,
        offset=offset,
        text=text,
    )
