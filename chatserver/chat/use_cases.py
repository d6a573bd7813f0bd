"""What all use cases share."""

import secrets

from chatserver.chat.limits import Limits
from chatserver.chat.ports import Bots, Clock, Feed, ReplyNudge, Store, Summarizer


def new_id() -> str:
    """128 random bits, url-safe."""
    return secrets.token_urlsafe(16)


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
