"""What a failure of PostgreSQL says about the transaction that met it."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatserver.chat.errors import NotFound
from chatserver.store.postgres.failures import Trouble, hush, trouble

CASES: list[tuple[BaseException, Trouble | None]] = [
    (asyncpg.SerializationError(), Trouble.CONFLICT),
    (asyncpg.DeadlockDetectedError(), Trouble.CONFLICT),
    (asyncpg.UniqueViolationError(), Trouble.CLASH),
    (asyncpg.QueryCanceledError(), Trouble.LATE),
    (asyncpg.LockNotAvailableError(), Trouble.HELD),
    (asyncpg.DiskFullError(), Trouble.LATE),
    (PoolTimeout(), Trouble.LATE),
    (asyncpg.AdminShutdownError(), Trouble.LOST),
    (asyncpg.CannotConnectNowError(), Trouble.LOST),
    (asyncpg.TooManyConnectionsError(), Trouble.LOST),
    (asyncpg.ReadOnlySQLTransactionError(), Trouble.LOST),
    (asyncpg.ConnectionDoesNotExistError(), Trouble.LOST),
    (asyncpg.InvalidPasswordError(), Trouble.LOST),
    (asyncpg.InterfaceError("connection is closed"), Trouble.LOST),
    (asyncpg.InternalClientError("another operation is in progress"), Trouble.LOST),
    (ConnectionResetError(), Trouble.LOST),
    (TimeoutError(), Trouble.LOST),
    (asyncpg.ForeignKeyViolationError(), None),
    (asyncpg.DataError("an integer is required"), None),
    (NotFound("no such session"), None),
    (ValueError(), None),
]


@pytest.mark.parametrize(("failure", "meaning"), CASES, ids=lambda each: type(each).__name__)
def test_each_failure_means_what_it_leaves_unsaid(
    failure: BaseException, meaning: Trouble | None
) -> None:
    assert trouble(failure) is meaning


@pytest.mark.parametrize("code", ["57P05", "25P03", "08006", "53200", "58030"])
def test_states_without_a_class_of_their_own_are_known_too(code: str) -> None:
    failure = asyncpg.PostgresError()
    failure.sqlstate = code
    assert trouble(failure) is (Trouble.LATE if code[:2] in ("53", "58") else Trouble.LOST)


def test_what_sqlalchemy_wraps_is_looked_through_and_hushed() -> None:
    inner = asyncpg.UniqueViolationError("duplicate key")
    inner.detail = "Key (text)=(secret) already exists."
    adapted = Exception("duplicate key")
    adapted.__cause__ = inner
    wrapped = DBAPIError("INSERT", None, adapted)
    assert trouble(wrapped) is Trouble.CLASH
    hush(wrapped)
    assert "secret" not in str(inner)
