"""What is known of one authenticated connection."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Identity, Participant
from chatserver.chat.rates import TokenBucket


@dataclass(slots=True, eq=False)
class Connection:
    """Lives from its authentication until it is gone."""

    sid: str
    identity: Identity
    bucket: TokenBucket
    drop: Callable[[ChatError], None]
    """Ends it, for this reason."""
    slow_events: int = 0
    """Those under way."""
    expiry: asyncio.TimerHandle | None = None
    is_gone: bool = False

    @property
    def participant(self) -> Participant:
        return self.identity.participant
