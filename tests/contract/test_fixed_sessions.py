"""Sessions whose id is given."""

from chatserver.chat.models import Session
from chatserver.chat.ports import Store, Transaction
from tests.contract.seeding import NOW, seed


async def test_a_session_is_added_once_and_never_again_after_its_end(store: Store) -> None:
    await seed(store)
    seeded = await store.read(lambda tx: tx.sessions.get("s"))
    assert seeded is not None
    fixed = seeded.model_copy(update={"id": "fixed", "last_seq": 0})

    def add(tx: Transaction) -> bool:
        return tx.sessions.add_if_new(fixed)

    def found(tx: Transaction) -> Session | None:
        return tx.sessions.get("fixed")

    assert await store.transact(add)
    assert not await store.transact(add)
    assert await store.read(found) == fixed
    await store.transact(lambda tx: tx.sessions.delete("fixed", NOW))
    assert not await store.transact(add)
    assert await store.read(found) is None
