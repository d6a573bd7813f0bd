"""What replies used, as a transaction sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """The replies somebody asked for, and the tokens these have used."""

    replies: int
    tokens: int


class Usage(Protocol):
    """What the replies used that somebody asked for, by day (UTC). Outlives their sessions."""

    def of(self, participant_id: str, now: datetime) -> Asked:
        """Today's."""
        ...

    def add(
        self, participant_id: str, now: datetime, *, replies: int = 0, tokens: int = 0
    ) -> None: ...
