"""The replies that are being written right now, for those who join in the middle."""

from dataclasses import dataclass, field

from chatserver.chat.events import (
    ReplyDelta,
    ReplyFinished,
    ReplySignal,
    ReplyStarted,
    ReplyStopped,
)
from chatserver.chat.models import Reply, ReplyState


@dataclass(slots=True)
class _Live:
    started: ReplyStarted
    parts: list[str] = field(default_factory=list)
    chars: int = 0


class LiveReplies:
    """Follows the reply signals of all sessions; at any moment holds what a member has seen."""

    def __init__(self) -> None:
        self._by_session: dict[str, dict[str, _Live]] = {}

    def heard(self, signal: ReplySignal) -> None:
        replies = self._by_session.setdefault(signal.session_id, {})
        match signal:
            case ReplyDelta():
                live = replies.get(signal.reply_id)
                if live is not None and live.started.attempt == signal.attempt:
                    live.parts.append(signal.text)
                    live.chars += len(signal.text)
            case ReplyStarted():
                replies[signal.reply_id] = _Live(signal)
            case ReplyFinished() | ReplyStopped():
                replies.pop(signal.reply_id, None)
        if not replies:
            del self._by_session[signal.session_id]

    def ended(self, session_id: str, reply_id: str) -> None:
        """The log says that the reply is over."""
        replies = self._by_session.get(session_id, {})
        replies.pop(reply_id, None)
        if not replies:
            self._by_session.pop(session_id, None)

    def forget(self, session_id: str) -> None:
        self._by_session.pop(session_id, None)

    def __contains__(self, session_id: str) -> bool:
        """Whether a reply is being written there."""
        return session_id in self._by_session

    def progress(self, session_id: str, reply_id: str) -> tuple[int, int] | None:
        """The attempt, and how many code points of it are known."""
        live = self._by_session.get(session_id, {}).get(reply_id)
        return (live.started.attempt, live.chars) if live is not None else None

    def ids(self) -> list[tuple[str, str]]:
        """Session and id of each."""
        return [(session, reply) for session, all_ in self._by_session.items() for reply in all_]

    def texts(self, session_id: str) -> list[tuple[ReplyStarted, str]]:
        """The replies as they began, each with its text so far."""
        replies = self._by_session.get(session_id, {}).values()
        return [(live.started, "".join(live.parts)) for live in replies]

    def of(self, session_id: str) -> list[Reply]:
        """Each with its text so far, in prompt order."""
        replies = self._by_session.get(session_id, {}).values()
        return [
            Reply(
                reply_id=live.started.reply_id,
                session_id=session_id,
                prompt_seq=live.started.prompt_seq,
                bot=live.started.bot.name,
                state=ReplyState.RUNNING,
                attempt=live.started.attempt,
                text="".join(live.parts),
            )
            for live in sorted(replies, key=lambda live: live.started.prompt_seq)
        ]
