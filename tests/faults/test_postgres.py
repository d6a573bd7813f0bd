"""PostgreSQL dies, freezes or hangs up at any moment; nothing that was acknowledged is lost."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from chatserver.chat.errors import Unavailable
from chatserver.chat.events import MessageDeleted
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event
from chatserver.chat.ports import Commit, Store, Transaction
from chatserver.store.postgres.connections import PostgresLimits
from chatserver.store.postgres.fate import committed, mark
from chatserver.store.postgres.store import PostgresStore
from tests.contract.seeding import ADA, BOB, NOW, draft, later, say, seed
from tests.faults.severed import Severed
from tests.postgres import QUICK, PostgresServer
from tests.waiting import eventually

SESSIONS = ("s", "t")
FIRST_USAGE = "INSERT INTO usage (participant, day, replies, tokens) VALUES ('ada', 1, 1, 0)"


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """To be killed."""
    server = PostgresServer(*QUICK)
    server.start()
    yield server
    server.remove()


@asynccontextmanager
async def opened(url: str, **limits: float) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url, Limits(), PostgresLimits(**limits))  # type: ignore[arg-type]
    store.open()
    yield store
    await store.close()


class Senders:
    """Each sends one message after the other, and each until it is acknowledged."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self.acked: dict[str, Event] = {}
        self.told: list[Event] = []
        self.refused = 0
        self._stopping = asyncio.Event()
        store.subscribe(lambda commit: self.told.extend(commit.events))

    async def run(self, senders: int = 10) -> None:
        await asyncio.gather(*[self._send(n) for n in range(senders)])

    def stop(self) -> None:
        self._stopping.set()

    async def acknowledge(self, more: int) -> None:
        """Waits until so many more are acknowledged."""
        enough = len(self.acked) + more
        await eventually(lambda: len(self.acked) >= enough, within=60)

    async def _send(self, sender: int) -> None:
        number = 0
        while not self._stopping.is_set():
            id = f"{self._name}-{sender}-{number}"
            one = draft(SESSIONS[number % 2], id, sender=(ADA, BOB)[sender % 2], id=id)
            try:
                appended = await self._store.append_message(one)
            except Unavailable:
                self.refused += 1
                continue
            self.acked[id] = appended.message
            number += 1


async def check(store: Store, *senders: Senders) -> None:
    """The log has no hole, each message once, and all that were acknowledged, as they were."""
    stored: dict[str, Event] = {}
    for session_id in SESSIONS:
        log = await store.read(lambda tx, which=session_id: tx.log.after(which, 0, 1_000_000))  # type: ignore[misc]
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        messages = [event for event in log if "client_message_id" in event.data]
        ids = [event.data["client_message_id"] for event in messages]
        assert len(set(ids)) == len(ids)
        stored |= dict(zip(ids, messages, strict=True))
    for each in senders:
        assert {id: stored.get(id) for id in each.acked} == each.acked


async def seeded(store: Store) -> None:
    for session_id in SESSIONS:
        await seed(store, session_id)


Fault = Callable[[PostgresServer], Awaitable[None]]


async def killed(server: PostgresServer) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def restarted(server: PostgresServer) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def frozen(server: PostgresServer) -> None:
    server.freeze()
    await asyncio.sleep(1.5)  # the fault itself
    server.thaw()


async def hung_up(server: PostgresServer) -> None:
    for _ in range(10):
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("fault", [killed, restarted, frozen, hung_up])
async def test_no_acknowledged_message_is_lost_or_doubled(
    own_postgres: PostgresServer, fault: Fault
) -> None:
    url = await own_postgres.fresh()
    async with opened(url, patience_seconds=20) as store:
        await seeded(store)
        senders = Senders(store, "a")
        running = asyncio.create_task(senders.run())
        for _ in range(3):
            await senders.acknowledge(100)
            await fault(own_postgres)
        await senders.acknowledge(100)
        senders.stop()
        await running
        await check(store, senders)
        # What was acknowledged, listeners had heard of. Time was enough to find out what became
        # of everything, so that nobody was refused.
        told = {(event.session_id, event.seq) for event in senders.told}
        assert told >= {(event.session_id, event.seq) for event in senders.acked.values()}
        assert not senders.refused


@pytest.mark.parametrize("fault", [killed, hung_up])
async def test_a_transaction_is_made_once_whatever_interrupts_it(
    own_postgres: PostgresServer, fault: Fault
) -> None:
    url = await own_postgres.fresh()
    made: list[int] = []
    stopping = asyncio.Event()

    moments = itertools.count()

    async def change(store: Store) -> None:
        while not stopping.is_set():
            at = later(next(moments))
            event = await store.transact(lambda tx, at=at: tx.log.append("s", ADA, DELETED, at))  # type: ignore[misc]
            made.append(event.seq)

    async with opened(url, patience_seconds=20) as store:
        await seeded(store)
        changing = [asyncio.create_task(change(store)) for _ in range(4)]
        for _ in range(3):
            enough = len(made) + 20
            await eventually(lambda enough=enough: len(made) >= enough, within=60)
            await fault(own_postgres)
        stopping.set()
        await asyncio.gather(*changing)
        assert sorted(made) == list(range(1, len(made) + 1))


DELETED = MessageDeleted(seq=1, deleted_at=NOW)


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_transaction_whose_commit_got_no_answer_is_known_all_the_same(
    postgres: PostgresServer, delivered: bool
) -> None:
    async with cut_off(postgres) as (store, line):
        await seeded(store)
        runs = 0

        def work(tx: Transaction) -> Event:
            nonlocal runs
            runs += 1
            return tx.log.append("s", ADA, DELETED, NOW)

        heard: list[int] = []
        store.subscribe(lambda commit: heard.extend(event.seq for event in commit.events))
        line.cut(b"COMMIT", delivered=delivered)
        assert (await store.transact(work)).seq == 1
        assert (line.cuts, runs, heard) == (1, 1 if delivered else 2, [1])
        assert await store.read(lambda tx: tx.sessions.last_seqs(["s"])) == {"s": 1}


async def test_a_crashed_server_is_believed_only_where_the_events_are_there(
    postgres: PostgresServer,
) -> None:
    url = await postgres.fresh()
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with opened(url) as store:
        await seeded(store)
        ours = await store.transact(lambda tx: tx.log.append("s", ADA, DELETED, NOW))
    async with engine.connect() as connection:
        await connection.execute(text("CREATE TABLE written (at int)"))
        marked = await mark(connection)
        assert marked.xid is not None
        before = replace(marked, life=replace(marked.life, started="long ago"))
        soon = time.monotonic() + 0.1
        assert await committed(engine, marked, [], soon) is None  # still on its way
        await connection.commit()
    another = ours.model_copy(update={"created_at": later(1)})
    assert await committed(engine, marked, [], soon) is True
    assert await committed(engine, before, [], soon) is None
    assert await committed(engine, before, [ours], soon) is True
    assert await committed(engine, before, [another], soon) is False
    future = replace(marked, xid="4000000000")
    assert await committed(engine, future, [ours], soon) is False
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE written"))
    await engine.dispose()
    await postgres.give_back(url)


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_message_whose_commit_got_no_answer_is_found_by_its_id(
    postgres: PostgresServer, delivered: bool
) -> None:
    async with cut_off(postgres) as (store, line):
        await seeded(store)
        heard: list[int] = []
        store.subscribe(lambda commit: heard.extend(event.seq for event in commit.events))
        line.cut(b"cut here", delivered=delivered)
        appended = await say(store, text="cut here")
        assert (line.cuts, appended.duplicate, appended.message.seq, heard) == (1, False, 1, [1])
        assert (await say(store)).message.seq == 2


async def test_a_database_that_stays_away_is_unavailable_in_time(
    own_postgres: PostgresServer,
) -> None:
    url = await own_postgres.fresh()
    async with opened(url, patience_seconds=1) as store:
        await seeded(store)
        await asyncio.to_thread(own_postgres.kill)
        started = time.monotonic()
        outcomes = await asyncio.gather(
            say(store),
            store.transact(lambda tx: tx.sessions.get("s")),
            store.read(lambda tx: tx.sessions.get("s")),
            store.ping(),
            return_exceptions=True,
        )
        assert [type(each) for each in outcomes] == [Unavailable] * 4
        assert time.monotonic() - started < 10
        await asyncio.to_thread(own_postgres.start)
        assert (await say(store)).message.seq == 1


async def test_one_who_sits_on_a_session_holds_up_no_other(postgres: PostgresServer) -> None:
    url = await postgres.fresh()
    async with opened(url, lock_seconds=0.5) as store:
        await seeded(store)
        held = HOLD.format(session="s")
        async with holding(postgres, url, held):
            refused = asyncio.create_task(say(store, "s"))
            for _ in range(5):
                await say(store, "t")
            with pytest.raises(Unavailable):
                await refused
        assert (await say(store, "s")).message.seq == 1
    await postgres.give_back(url)


@pytest.mark.parametrize("counting", ["SELECT 1 FROM usage FOR UPDATE", FIRST_USAGE])
async def test_whoever_counts_what_somebody_uses_holds_up_nobody_else(
    postgres: PostgresServer, counting: str
) -> None:
    url = await postgres.fresh()
    async with opened(url, lock_seconds=1) as store:
        await seed(store, "asking", bot="echo")
        await seed(store, "t")
        if counting is not FIRST_USAGE:
            await say(store, "asking")
        async with holding(postgres, url, counting):
            asking = [asyncio.create_task(say(store, "asking", sender=ADA)) for _ in range(2)]
            others = [asyncio.create_task(say(store, "t")) for _ in range(20)]
            await asyncio.gather(*others)
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
            assert {type(each) for each in outcomes} == {Unavailable}
        await say(store, "asking")
    await postgres.give_back(url)


async def test_a_listener_that_fails_costs_nobody_their_message(postgres: PostgresServer) -> None:
    url = await postgres.fresh()

    def fail(_: Commit) -> None:
        raise RuntimeError("a defect")

    async with opened(url) as store:
        await seeded(store)
        store.subscribe(fail)
        async with holding(postgres, url, HOLD.format(session="s")):
            held = asyncio.create_task(say(store, "s"))
            await asyncio.wait_for(asyncio.gather(*[say(store, "t") for _ in range(5)]), 5)
        assert (await asyncio.wait_for(held, 5)).message.seq == 1
    await postgres.give_back(url)


async def test_a_store_is_closed_although_the_server_is_silent(
    own_postgres: PostgresServer,
) -> None:
    url = await own_postgres.fresh()
    async with opened(url) as store:
        await seeded(store)
        await store.read(lambda tx: tx.sessions.get("s"))
        own_postgres.freeze()
        try:
            await asyncio.wait_for(store.close(), 8)
        finally:
            own_postgres.thaw()


async def test_a_pool_that_is_used_up_is_unavailable(postgres: PostgresServer) -> None:
    url = await postgres.fresh()
    async with opened(url, connections=1, patience_seconds=0.3) as store:
        await seeded(store)
        async with holding(postgres, url, HOLD.format(session="s")):
            stuck = asyncio.create_task(store.transact(lambda tx: tx.sessions.get("s")))
            await eventually(lambda: store.pending)
            with pytest.raises(Unavailable):
                await store.read(lambda tx: tx.sessions.get("t"))
            assert (await say(store, "t")).message.seq == 1  # it has a connection of its own
        await stuck
    await postgres.give_back(url)


HOLD = "SELECT 1 FROM session WHERE id = '{session}' FOR UPDATE"


@asynccontextmanager
async def holding(postgres: PostgresServer, url: str, statement: str) -> AsyncIterator[None]:
    """Somebody else has run this in a transaction that goes on."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def cut_off(postgres: PostgresServer) -> AsyncIterator[tuple[PostgresStore, Severed]]:
    url = await postgres.fresh()
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(Severed(postgres.port).running())
        through = url.replace(f":{postgres.port}/", f":{line.port}/")
        yield await stack.enter_async_context(opened(through)), line
    with contextlib.suppress(OSError):
        await postgres.give_back(url)
