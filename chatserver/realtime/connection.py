"""What is known of one authenticated connection."""

import asyncio
from dataclasses import dataclass

from chatserver.chat.models import Identity, Participant
from chatserver.chat.rates import TokenBucket


@dataclass(slots=True)
class Connection:
    """Lives from the connect handler to the disconnect handler."""

    sid: str
    engine_id: str
    identity: Identity
    bucket: TokenBucket
    slow_events: int = 0
    """Those under way."""
    expiry: asyncio.TimerHandle | None = None

    @property
    def participant(self) -> Participant:
        return self.identity.participant
