"""Tokens and invites, as a transaction sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatserver.chat.models import Participant


@dataclass(frozen=True, slots=True)
class TokenRecord:
    participant: Participant
    expires_at: datetime
    revoked: bool


class Tokens(Protocol):
    def add(self, digest: bytes, participant: Participant, at: datetime, until: datetime) -> None:
        """Stores a token, and its participant where new."""
        ...

    def find(self, digest: bytes) -> TokenRecord | None: ...
    def extend(self, digest: bytes, until: datetime) -> None: ...
    def revoke(self, digest: bytes, at: datetime) -> None: ...
    def forget(self, before: datetime, limit: int) -> int:
        """Deletes up to `limit` that expired before then, and returns how many."""
        ...

    def ensure_participant(self, participant: Participant, at: datetime) -> None: ...


class Invites(Protocol):
    def add(
        self, digest: bytes, session_id: str, created_by: str, at: datetime, until: datetime
    ) -> None: ...
    def valid(self, digest: bytes, session_id: str, now: datetime) -> bool: ...
    def count_valid(self, session_id: str, now: datetime) -> int: ...
    def revoke_all(self, session_id: str) -> None: ...
    def forget(self, before: datetime, limit: int) -> int:
        """Deletes up to `limit` that expired before then, and returns how many."""
        ...
