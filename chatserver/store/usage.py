"""The `usage` table: one row for each participant, of the last day on which they used anything."""

from datetime import datetime

from sqlalchemy import Connection, select, text

from chatserver.chat.ports import Asked
from chatserver.store import schema

U = schema.usage.c

ADDING = """ON CONFLICT (participant) DO UPDATE SET
  replies = excluded.replies + CASE WHEN usage.day < excluded.day THEN 0 ELSE usage.replies END,
  tokens = excluded.tokens + CASE WHEN usage.day < excluded.day THEN 0 ELSE usage.tokens END,
  day = CASE WHEN usage.day < excluded.day THEN excluded.day ELSE usage.day END
"""
"""In the words of SQLite and of PostgreSQL. So are `ADD`'s.

The day never goes back: what one adds whose clock is behind counts for the day that others know.
"""
ADD = f"""
INSERT INTO usage (participant, day, replies, tokens)
VALUES (:participant, :day, :replies, :tokens)
{ADDING}"""


def row(
    participant_id: str, now: datetime, *, replies: int = 0, tokens: int = 0
) -> dict[str, str | int]:
    """What `ADD` adds."""
    return {
        "participant": participant_id,
        "day": now.toordinal(),
        "replies": replies,
        "tokens": tokens,
    }


class UsageRows:
    """`chat.ports.Usage`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, participant_id: str, now: datetime) -> Asked:
        found = self._connection.execute(
            select(U.replies, U.tokens).where(
                U.participant == participant_id, U.day == now.toordinal()
            )
        ).one_or_none()
        return Asked(0, 0) if found is None else Asked(*found)

    def add(self, participant_id: str, now: datetime, *, replies: int = 0, tokens: int = 0) -> None:
        if replies or tokens:
            added = row(participant_id, now, replies=replies, tokens=tokens)
            self._connection.execute(text(ADD), added)
