"""What is known of one authenticated connection."""

import asyncio
from dataclasses import dataclass, field

from chatserver.chat.models import Identity, Participant
from chatserver.chat.rates import TokenBucket


@dataclass(slots=True)
class Connection:
    """Lives from the connect handler to the disconnect handler."""

    sid: str
    engine_id: str
    identity: Identity
    bucket: TokenBucket
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the event that takes effect now: those of one client do so in the order sent."""
    in_flight: int = 0
    expiry: asyncio.TimerHandle | None = None

    @property
    def participant(self) -> Participant:
        return self.identity.participant
