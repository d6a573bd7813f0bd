"""What a failure of PostgreSQL means for the one who met it."""

from enum import Enum, auto

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Trouble(Enum):
    """Everything but `LOST` leaves the transaction rolled back for sure."""

    CONFLICT = auto()
    """With another transaction: worth repeating at once."""
    CLASH = auto()
    """With a row that is there already; another transaction may have just made it."""
    HELD = auto()
    """A lock another did not give up in time. What needs no such lock may go on."""
    LATE = auto()
    """A timeout of ours, or a full disk: repeating would take as long again."""
    LOST = auto()
    """There is no connection (any more). A commit that was under way may have happened."""


CONFLICTS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "0A000",  # feature_not_supported: a cached plan, after a migration
}
CLASHES = {"23505"}  # unique_violation
LOCKED = {"55P03"}  # lock_not_available
TOO_LATE = {"57014"}  # query_canceled
GONE = {
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
    "57P05",  # idle_session_timeout
    "25006",  # read_only_sql_transaction: after a failover we may talk to what is a standby now
    "25P03",  # idle_in_transaction_session_timeout
    "53300",  # too_many_connections
    "3D000",  # invalid_catalog_name
}
GONE_CLASSES = {"08", "28"}  # connection_exception, invalid_authorization_specification
LATE_CLASSES = {"53", "58"}  # insufficient_resources, system_error


def trouble(failure: BaseException) -> Trouble | None:
    """None for what is no fault of the database: a refusal of ours, a broken constraint, a defect.

    Looks through SQLAlchemy's wrapping.
    """
    if isinstance(failure, PoolTimeout):
        return Trouble.LATE
    for each in _layers(failure):
        if isinstance(each, asyncpg.PostgresError) and each.sqlstate:
            return _of_state(each.sqlstate)
        if isinstance(each, OSError | TimeoutError):
            return Trouble.LOST
        # The driver lost its own track: seen where a server hung up as a statement began.
        if isinstance(each, asyncpg.InternalClientError):
            return Trouble.LOST
        # Of the driver itself: "connection is closed" and the like; but not values it cannot send.
        if isinstance(each, asyncpg.InterfaceError) and not isinstance(each, ValueError):
            return Trouble.LOST
    return None


def hush(failure: BaseException) -> None:
    """Takes out what the database adds about the rows at hand: it would show what people wrote."""
    for each in _layers(failure):
        if isinstance(each, asyncpg.PostgresError):
            each.detail = None


def _of_state(state: str) -> Trouble | None:
    if state in CONFLICTS:
        return Trouble.CONFLICT
    if state in CLASHES:
        return Trouble.CLASH
    if state in LOCKED:
        return Trouble.HELD
    if state in TOO_LATE:
        return Trouble.LATE
    if state in GONE or state[:2] in GONE_CLASSES:
        return Trouble.LOST
    return Trouble.LATE if state[:2] in LATE_CLASSES else None


def _layers(failure: BaseException) -> list[BaseException]:
    layers: list[BaseException] = []
    current: BaseException | None = failure
    while current is not None and current not in layers:
        layers.append(current)
        current = getattr(current, "orig", None) or current.__cause__
    return layers
