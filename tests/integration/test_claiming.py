"""Claims on PostgreSQL wait for nobody, and none is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import asyncpg
import pytest

from chatserver.chat.desk import ReplyDesk
from chatserver.chat.errors import Unavailable
from chatserver.chat.limits import Limits
from chatserver.chat.models import ReplyState
from chatserver.chat.ports import Clock, Store, Transaction
from chatserver.observability.clock import SystemClock
from chatserver.store.claims import CLAIMS
from chatserver.store.open import database_at
from chatserver.store.postgres.store import PostgresStore
from tests.contract.seeding import later, queued, seed
from tests.postgres import PostgresServer

T = TypeVar("T")

LIMITS = Limits(running_replies_per_participant=1)


class Deaf:
    """`chat.ports.Feed`, as far as claims use it."""

    def signal(self, *_: Any) -> None:
        pass


def desk_on(store: Store, clock: Clock | None = None) -> ReplyDesk:
    return ReplyDesk(
        store=store,
        feed=cast(Any, Deaf()),
        clock=clock or SystemClock(),
        lease=timedelta(seconds=60),
        window=lambda bot: 4,
        max_takeovers=3,
        limits=LIMITS,
    )


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    url = await postgres.fresh()
    yield url
    await postgres.give_back(url)


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url, LIMITS)
    store.open()
    yield store
    await store.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody who is slow."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def enqueue(store: Store, asker: str, at: float = 0) -> None:
    reply = queued(await seed(store, f"of-{asker}"), asker, 1)
    await store.transact(lambda tx: tx.replies.add(reply, later(at), asker=asker))


async def claimed(desk: ReplyDesk) -> str | None:
    work = await desk.claim("w")
    return None if work is None else work.claim.reply.reply_id


async def test_a_reply_is_claimed_while_somebody_holds_its_session(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    await enqueue(store, "ada")
    async with other.transaction(), asyncio.timeout(2):
        await other.execute("SELECT id FROM session FOR UPDATE")
        assert await claimed(desk_on(store)) == "ada"


async def test_whoever_claims_for_an_asker_holds_up_nobody_elses_replies(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    await enqueue(store, "ada", at=0)
    await enqueue(store, "bob", at=1)
    desk = desk_on(store)
    # Shorter than a lock is waited for.
    async with other.transaction(), asyncio.timeout(4.5):
        await lock(other, "ada")
        assert await claimed(desk) == "bob"
        assert await claimed(desk) is None
    assert await claimed(desk) == "ada"


async def test_replies_that_others_kept_for_a_moment_are_looked_for_again(
    store: PostgresStore, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.chat.desk.LOOK_AGAIN_SECONDS", (0.001,) * 1000)
    await enqueue(store, "ada")
    holding = other.transaction()
    await holding.start()
    await lock(other, "ada")
    claiming = asyncio.create_task(claimed(desk_on(store)))
    await asyncio.wait([claiming], timeout=0.1)
    assert not claiming.done()
    await holding.rollback()
    assert await asyncio.wait_for(claiming, 2) == "ada"


async def test_a_claim_whose_context_cannot_be_read_is_given_back(store: PostgresStore) -> None:
    class Blind:
        """A store that cannot be read."""

        async def transact(self, work: Callable[[Transaction], T]) -> T:
            return await store.transact(work)

        async def read(self, work: Callable[[Transaction], T]) -> T:
            raise Unavailable("an outage")

    await enqueue(store, "ada")
    with pytest.raises(Unavailable):
        await desk_on(cast(Store, Blind())).claim("w")
    (reply,) = await store.read(lambda tx: tx.replies.active("of-ada"))
    assert (reply.state, reply.attempt) == (ReplyState.QUEUED, 1)
    assert await claimed(desk_on(store)) == "ada"


async def test_a_lease_lasts_by_the_clock_of_the_database(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    await enqueue(store, "ada")
    lease = timedelta(seconds=60)
    for hosts_clock in (later(0), later(10**9)):
        claim = await store.transact(
            lambda tx, now=hosts_clock: tx.replies.claim("w", now, lease)  # type: ignore[misc]
        )
        assert (claim is not None) is (hosts_clock == later(0))
        left = "lease_until - now() BETWEEN interval '50 s' AND interval '60 s'"
        assert await other.fetchval(f"SELECT {left} FROM reply")


async def test_a_clock_that_is_set_forward_ends_no_lease_of_a_server_alone(tmp_path: Path) -> None:
    class SetForward(SystemClock):
        hours = 0

        def now(self) -> datetime:
            return super().now() + timedelta(hours=self.hours)

    database = database_at(f"sqlite:///{tmp_path / 'chat.db'}")
    await asyncio.to_thread(database.migrate)
    store = database.store(LIMITS, lambda size, seconds: None)
    store.open()
    await enqueue(store, "ada")
    clock = SetForward()
    desk = desk_on(store, clock)
    assert await claimed(desk) == "ada"
    clock.hours = 1
    assert await claimed(desk) is None
    await store.close()


async def lock(other: asyncpg.Connection, asker: str) -> None:
    await other.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", asker, CLAIMS)
