"""What all use cases share."""

import secrets
from collections.abc import Sequence

from chatserver.chat.access import require_member
from chatserver.chat.limits import Limits
from chatserver.chat.models import Participant, Role, Session
from chatserver.chat.ports import (
    Bots,
    Clock,
    Feed,
    ReplyNudge,
    Store,
    Summarizer,
    Transaction,
)


def new_id() -> str:
    """128 random bits, url-safe, and no option to a command line: it begins with no hyphen."""
    while (drawn := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return drawn


class UseCases:
    """Holds what every use case may need."""

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        bots: Bots,
        nudge: ReplyNudge,
        summarizer: Summarizer,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.store = store
        self.feed = feed
        self.bots = bots
        self.nudge = nudge
        self.summarizer = summarizer
        self.clock = clock
        self.limits = limits

    def stop(self, reply_ids: Sequence[str]) -> None:
        """Nudges whoever runs these replies; that they are to stop is stored."""
        for reply_id in reply_ids:
            self.nudge.stop_requested(reply_id)


def membership(tx: Transaction, actor: Participant, session_id: str) -> tuple[Session, Role]:
    """The session and what `actor` is in it. Raises `NotFound` or `NotMember`."""
    return require_member(tx.sessions.get(session_id), tx.members.role(session_id, actor.id))
