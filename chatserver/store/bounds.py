"""How much a store takes on, whichever database it has."""

from chatserver.chat.errors import Unavailable

BATCH = 500
"""Jobs after which a transaction takes no more on."""
MAX_PENDING = 20_000
"""Writes that wait at the same time."""


def require_room(pending: int) -> None:
    """Raises `Unavailable` where no more may wait."""
    if pending >= MAX_PENDING:
        raise Unavailable("the store is behind; try again")
