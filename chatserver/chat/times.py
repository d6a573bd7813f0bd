"""Moments as people outside write them."""

from datetime import UTC, datetime


def to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
