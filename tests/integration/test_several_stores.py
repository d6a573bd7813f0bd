"""Several stores on one PostgreSQL, as several instances have them, behave as one."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from itertools import chain

import pytest

from chatserver.chat.errors import ChatError, Conflict
from chatserver.chat.events import ParticipantLeft
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event, Participant, ParticipantKind, ReplyState, Role
from chatserver.chat.ports import Claim, Contended, Store, Transaction
from chatserver.chat.upkeep import KEPT, UpkeepDesk
from chatserver.store.postgres.store import PostgresStore
from chatserver.testing.clock import FakeClock
from tests.contract.seeding import ADA, BOB, NOW, draft, later, queued, seed
from tests.postgres import PostgresServer
from tests.waiting import eventually

INSTANCES = 3
LEASE = timedelta(seconds=60)


@pytest.fixture
async def stores(postgres: PostgresServer) -> AsyncIterator[list[PostgresStore]]:
    url = await postgres.fresh()
    opened = [PostgresStore(url, Limits()) for _ in range(INSTANCES)]
    for store in opened:
        store.open()
    yield opened
    for store in opened:
        await store.close()
    await postgres.give_back(url)


async def log_of(store: Store, session_id: str = "s") -> list[Event]:
    return await store.read(lambda tx: tx.log.after(session_id, 0, 100_000))


def finish(claim: Claim, tx: Transaction) -> bool:
    """Whether it was still this worker's."""
    if not tx.replies.holds(claim):
        return False
    tx.replies.finish(claim.reply.reply_id, ReplyState.DONE, NOW)
    return True


async def test_messages_of_all_instances_get_the_numbers_one_to_n(
    stores: list[PostgresStore],
) -> None:
    for session_id in ("s", "t"):
        await seed(stores[0], session_id)
    heard: list[list[tuple[str, int]]] = [[] for _ in stores]
    for store, ears in zip(stores, heard, strict=True):
        store.subscribe(
            lambda commit, ears=ears: ears.extend((e.session_id, e.seq) for e in commit.events)  # type: ignore[misc]
        )

    async def send(number: int) -> None:
        for n in range(20):
            await stores[number % INSTANCES].append_message(
                draft(("s", "t")[n % 2], f"{number} {n}", sender=(ADA, BOB)[number % 2])
            )

    await asyncio.gather(*[send(n) for n in range(30)])
    for session_id in ("s", "t"):
        assert [e.seq for e in await log_of(stores[0], session_id)] == list(range(1, 301))
        for ears in heard:  # each tells its own, in order
            mine = [seq for which, seq in ears if which == session_id]
            assert mine == sorted(mine)
    assert Counter(chain.from_iterable(heard)).most_common(1)[0][1] == 1


async def test_a_message_sent_to_all_instances_at_once_is_stored_once(
    stores: list[PostgresStore],
) -> None:
    await seed(stores[0], bot="echo")

    async def send(store: Store, id: str, text: str = "hello") -> object:
        try:
            return await store.append_message(draft(text=text, id=id))
        except ChatError as refusal:
            return refusal

    for number in range(20):
        outcomes = await asyncio.gather(*[send(store, f"one-{number}") for store in stores])
        assert sorted(each.duplicate for each in outcomes) == [False, True, True]  # type: ignore[attr-defined]
        others = await asyncio.gather(
            *[send(store, f"two-{number}", text) for store, text in zip(stores, "abc", strict=True)]
        )
        assert sum(isinstance(each, Conflict) for each in others) == 2
    assert [event.seq for event in await log_of(stores[0])] == list(range(1, 41))
    assert await stores[0].read(lambda tx: tx.replies.count_active("s")) == 40


async def test_messages_and_transactions_of_a_session_take_turns(
    stores: list[PostgresStore],
) -> None:
    await seed(stores[0])

    async def rename(store: Store, number: int) -> None:
        def work(tx: Transaction) -> None:
            session = tx.sessions.get("s")
            assert session is not None
            # Lost updates would show: each adds one letter to what it read.
            tx.sessions.save_settings(session.model_copy(update={"title": session.title + "x"}))

        await store.transact(work)

    await asyncio.gather(
        *[rename(stores[n % INSTANCES], n) for n in range(30)],
        *[stores[n % INSTANCES].append_message(draft()) for n in range(60)],
    )
    session = await stores[0].read(lambda tx: tx.sessions.get("s"))
    assert session is not None
    assert session.title == "a title" + "x" * 30
    assert [event.seq for event in await log_of(stores[0])] == list(range(1, 61))


async def test_who_was_made_to_leave_sends_nothing_more_through_any_instance(
    stores: list[PostgresStore],
) -> None:
    await seed(stores[0])
    left = asyncio.Event()
    sent: list[int] = []

    async def send(store: Store) -> None:
        while True:
            try:
                sent.append((await store.append_message(draft(sender=BOB))).message.seq)
            except ChatError:
                assert left.is_set()
                return

    def leave(tx: Transaction) -> int:
        left.set()  # it is committed some time after
        session = tx.sessions.get("s")
        assert session is not None
        tx.members.end("s", "bob", NOW)
        return tx.log.append("s", BOB, ParticipantLeft(participant=BOB), NOW).seq

    sending = asyncio.gather(*[send(store) for store in stores])
    await eventually(lambda: len(sent) >= 30)
    last = await stores[0].transact(leave)
    await sending
    assert max(sent) == last - 1
    assert len(await log_of(stores[1])) == last


async def test_workers_of_all_instances_run_each_reply_once_in_order_and_within_limits(
    stores: list[PostgresStore],
) -> None:
    sessions, prompts, each = [f"s{n}" for n in range(6)], 8, 2
    for session_id in sessions:
        await seed(stores[0], session_id)
    for session_id in sessions:
        for prompt in range(1, prompts + 1):
            reply, asker = queued(session_id, f"{session_id}-{prompt}", prompt), session_id[:1]
            await stores[0].transact(
                lambda tx, r=reply, a=asker, n=prompt: tx.replies.add(r, later(n), asker=a)  # type: ignore[misc]
            )
    running: dict[str, Claim] = {}
    ended: list[str] = []
    everything = len(sessions) * prompts

    async def work(store: Store, owner: str) -> None:
        while len(ended) < everything:
            claim = None
            with contextlib.suppress(Contended):
                claim = await store.transact(
                    lambda tx: tx.replies.claim(owner, NOW, LEASE, running_each=each)
                )
            if claim is None:
                await asyncio.sleep(0.005)
                continue
            session_id = claim.reply.session_id
            assert session_id not in running
            running[session_id] = claim
            assert len(running) <= each
            assert claim.reply.attempt == 1
            await asyncio.sleep(0)
            del running[session_id]
            ended.append(claim.reply.reply_id)
            assert await store.transact(partial(finish, claim))

    workers = [work(store, f"w{n}") for n, store in enumerate(stores * 4)]
    await asyncio.wait_for(asyncio.gather(*workers), 60)
    for session_id in sessions:
        order = [each for each in ended if each.startswith(f"{session_id}-")]
        assert order == [f"{session_id}-{prompt}" for prompt in range(1, prompts + 1)]


async def test_a_worker_that_was_taken_over_from_cannot_end_the_reply(
    stores: list[PostgresStore],
) -> None:
    await seed(stores[0])
    for number in range(10):
        reply = queued("s", f"r{number}", number + 1)
        await stores[0].transact(lambda tx, r=reply: tx.replies.add(r, NOW, asker="ada"))  # type: ignore[misc]
        first = await stores[0].transact(lambda tx: tx.replies.claim("first", NOW, timedelta()))
        assert first is not None

        ended, second = await asyncio.gather(
            stores[0].transact(partial(finish, first)),
            stores[1].transact(lambda tx: tx.replies.claim("second", NOW, LEASE)),
        )
        assert ended is (second is None)
        if second is not None:
            assert await stores[1].transact(partial(finish, second))


async def test_a_session_that_is_deleted_leaves_nothing_whatever_is_sent_meanwhile(
    stores: list[PostgresStore],
) -> None:
    for number in range(10):
        session_id = await seed(stores[0], f"d{number}")
        await asyncio.gather(
            *[store.append_message(draft(session_id)) for store in stores[1:]],
            stores[0].transact(lambda tx, s=session_id: tx.sessions.delete(s, NOW)),  # type: ignore[misc]
            return_exceptions=True,
        )
        assert await log_of(stores[0], session_id) == []


async def test_the_same_people_coming_at_once_do_not_collide(stores: list[PostgresStore]) -> None:
    await seed(stores[0])
    for number in range(10):
        who = Participant(id=f"new-{number}", name="New", kind=ParticipantKind.USER)

        def join(tx: Transaction, who: Participant = who) -> None:
            tx.tokens.ensure_participant(who, NOW)
            tx.members.put("s", who.id, Role.MEMBER, NOW)

        await asyncio.gather(*[store.transact(join) for store in stores])
    assert await stores[0].read(lambda tx: tx.members.count("s")) == 12


async def test_all_may_forget_ended_tokens_at_once(stores: list[PostgresStore]) -> None:
    ended = NOW - 2 * KEPT

    def add(tx: Transaction) -> None:
        for number in range(1200):
            tx.tokens.add(number.to_bytes(32), ADA, ended, ended)

    await stores[0].transact(add)
    desks = [UpkeepDesk(store=store, clock=FakeClock(NOW)) for store in stores]

    async def forget_all(desk: UpkeepDesk) -> None:
        while await desk.forget():
            pass

    await asyncio.gather(*map(forget_all, desks))
    await desks[0].forget()  # what one passed over, because another was about to delete it

    def known(tx: Transaction) -> list[int]:
        return [number for number in range(1200) if tx.tokens.find(number.to_bytes(32))]

    assert await stores[0].read(known) == []
