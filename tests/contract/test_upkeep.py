"""What ended long ago is forgotten, a bounded piece at a time; what did not is kept."""

from datetime import datetime, timedelta

from chatserver.chat.ports import Store, Transaction
from chatserver.chat.upkeep import AT_ONCE, KEPT, UpkeepDesk
from chatserver.testing.clock import FakeClock
from tests.contract.seeding import ADA, BOB, NOW, say, seed

SECOND = timedelta(seconds=1)
LONG_AGO = NOW - KEPT - SECOND
NOT_SO_LONG_AGO = NOW - KEPT


def digest(number: int) -> bytes:
    return number.to_bytes(32)


def add_tokens(tx: Transaction, first: int, count: int, until: datetime) -> None:
    for number in range(first, first + count):
        tx.tokens.add(digest(number), ADA, until - SECOND, until)


def add_invites(tx: Transaction, first: int, count: int, until: datetime) -> None:
    for number in range(first, first + count):
        tx.invites.add(digest(number), "s", ADA.id, until - SECOND, until)


async def is_known(store: Store, number: int) -> bool:
    return await store.read(lambda tx: tx.tokens.find(digest(number))) is not None


async def test_tokens_are_forgotten_long_after_their_end_and_not_before(store: Store) -> None:
    await store.transact(lambda tx: add_tokens(tx, 0, 1, LONG_AGO))
    await store.transact(lambda tx: add_tokens(tx, 1, 1, NOT_SO_LONG_AGO))
    await store.transact(lambda tx: add_tokens(tx, 2, 1, NOW + SECOND))
    await store.transact(lambda tx: tx.tokens.revoke(digest(2), NOW))
    assert not await UpkeepDesk(store=store, clock=FakeClock(NOW)).forget()
    assert [await is_known(store, number) for number in range(3)] == [False, True, True]


async def test_who_had_a_forgotten_token_still_has_said_what_they_said(store: Store) -> None:
    await seed(store)
    await say(store, sender=BOB, text="still here")
    await store.transact(lambda tx: tx.tokens.add(b"b" * 32, BOB, NOW, LONG_AGO))
    await UpkeepDesk(store=store, clock=FakeClock(NOW)).forget()
    (event,) = await store.read(lambda tx: tx.log.after("s", 0, 9))
    assert (event.sender, event.data["text"]) == (BOB, "still here")


async def test_invites_are_forgotten_likewise(store: Store) -> None:
    await seed(store)
    await store.transact(lambda tx: add_invites(tx, 0, 2, LONG_AGO))
    await store.transact(lambda tx: add_invites(tx, 2, 3, NOT_SO_LONG_AGO))
    await UpkeepDesk(store=store, clock=FakeClock(NOW)).forget()
    long_before = LONG_AGO - SECOND
    assert await store.read(lambda tx: tx.invites.count_valid("s", long_before)) == 3


async def test_much_is_forgotten_piece_by_piece(store: Store) -> None:
    await seed(store)
    await store.transact(lambda tx: add_tokens(tx, 0, 2 * AT_ONCE + 1, LONG_AGO))
    await store.transact(lambda tx: add_invites(tx, 0, 1, LONG_AGO))
    desk = UpkeepDesk(store=store, clock=FakeClock(NOW))
    assert [await desk.forget() for _ in range(4)] == [True, True, False, False]
    for number in (0, AT_ONCE, 2 * AT_ONCE):
        assert not await is_known(store, number)
