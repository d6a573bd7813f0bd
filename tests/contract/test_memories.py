"""What bots remember: their own, and gone with what it was made of."""

import pytest

from chatserver.chat.events import MessageCreated
from chatserver.chat.memory import BATCH, MEMORY_CHARS, MOST_TURNS, MemoryKeeper
from chatserver.chat.models import Event
from chatserver.chat.ports import Memory, Store, Transaction
from chatserver.testing import FakeClock
from tests.contract.seeding import ECHO, NOW, later, say, seed


async def remember(
    store: Store, through: int, text: str = "tea", bot: str = "echo", session_id: str = "s"
) -> None:
    memory = Memory(through, text, NOW)
    await store.transact(lambda tx: tx.memories.put(session_id, bot, memory))


async def recall(store: Store, bot: str = "echo", session_id: str = "s") -> Memory | None:
    return await store.read(lambda tx: tx.memories.get(session_id, bot))


@pytest.fixture
def keeper(store: Store) -> MemoryKeeper:
    return MemoryKeeper(store, FakeClock())


async def test_a_memory_is_one_bots_of_one_session_and_the_last_one_counts(store: Store) -> None:
    await seed(store, "s")
    await seed(store, "t")
    await remember(store, 1, "first")
    await remember(store, 2, "second")
    await remember(store, 3, "of another", bot="other")
    assert await recall(store) == Memory(2, "second", NOW)
    assert await recall(store, bot="other") == Memory(3, "of another", NOW)
    assert await recall(store, session_id="t") is None


@pytest.mark.parametrize("change", ["edit", "erase"])
async def test_a_changed_message_takes_the_memories_with_it_that_it_may_be_in(
    store: Store, change: str
) -> None:
    for session_id in ("s", "t"):
        await seed(store, session_id)
        for _ in range(3):
            await say(store, session_id)
        await remember(store, 2, session_id=session_id)
    await remember(store, 1, bot="earlier")
    if change == "edit":
        await store.transact(lambda tx: tx.log.edit("s", 2, "new", NOW))
    else:
        await store.transact(lambda tx: tx.log.erase("s", 2, NOW))
    assert await recall(store) is None
    assert await recall(store, bot="earlier") is not None
    assert await recall(store, session_id="t") is not None


async def test_a_later_message_may_change_without_harm(store: Store) -> None:
    await seed(store)
    for _ in range(3):
        await say(store)
    await remember(store, 2)
    await store.transact(lambda tx: tx.log.erase("s", 3, NOW))
    assert await recall(store) is not None


async def test_a_change_that_is_rolled_back_takes_no_memory(store: Store) -> None:
    await seed(store)
    await say(store)
    await remember(store, 1)

    def work(tx: Transaction) -> None:
        tx.log.erase("s", 1, NOW)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await store.transact(work)
    assert await recall(store) is not None


async def test_a_deleted_session_is_remembered_by_nobody(store: Store) -> None:
    await seed(store)
    await remember(store, 1)
    await store.transact(lambda tx: tx.sessions.delete("s", NOW))
    assert await recall(store) is None


async def test_turns_are_folded_once_they_are_a_batch_and_only_once(
    store: Store, keeper: MemoryKeeper
) -> None:
    await seed(store)
    for number in range(BATCH):
        assert await keeper.due("s", "echo", number + 1) is None
        await say(store, text=f"message {number}")
    fold = await keeper.due("s", "echo", BATCH + 1)
    assert fold is not None
    assert [turn.data["text"] for turn in fold.turns] == [f"message {n}" for n in range(BATCH)]
    assert fold.memory is None
    assert await keeper.keep(fold, " They had tea.\x00 ")
    kept = await recall(store)
    assert kept is not None
    assert (kept.through_seq, kept.text) == (BATCH, "They had tea.")
    assert await keeper.due("s", "echo", BATCH + 1) is None
    assert await keeper.due("s", "other", BATCH + 1) is not None


async def test_a_fold_is_bounded_in_what_it_takes_and_in_what_it_keeps(
    store: Store, keeper: MemoryKeeper
) -> None:
    await seed(store)
    for _ in range(MOST_TURNS + 10):
        await say(store)
    fold = await keeper.due("s", "echo", MOST_TURNS + 6)
    assert fold is not None
    assert [turn.seq for turn in fold.turns] == list(range(6, MOST_TURNS + 6))
    assert await keeper.keep(fold, "x" * 9_999)
    kept = await recall(store)
    assert kept is not None
    assert len(kept.text) == MEMORY_CHARS


async def test_a_blank_memory_is_refused(store: Store, keeper: MemoryKeeper) -> None:
    await seed(store)
    for _ in range(BATCH):
        await say(store)
    fold = await keeper.due("s", "echo", BATCH + 1)
    assert fold is not None
    with pytest.raises(ValueError, match="nothing"):
        await keeper.keep(fold, " \x00\n")
    assert await recall(store) is None


@pytest.mark.parametrize(
    "change", ["edit", "erase", "erase before", "delete session", "another fold"]
)
async def test_what_changed_while_the_model_wrote_is_not_stored(
    store: Store, keeper: MemoryKeeper, change: str
) -> None:
    await seed(store)
    for _ in range(BATCH + 1):
        await say(store)
    await remember(store, 1)
    fold = await keeper.due("s", "echo", BATCH + 2)
    assert fold is not None
    match change:
        case "edit":
            await store.transact(lambda tx: tx.log.edit("s", 5, "new", later(1)))
        case "erase":
            await store.transact(lambda tx: tx.log.erase("s", 5, later(1)))
        case "erase before":
            await store.transact(lambda tx: tx.log.erase("s", 1, later(1)))
        case "delete session":
            await store.transact(lambda tx: tx.sessions.delete("s", later(1)))
        case "another fold":
            await remember(store, 2, "other")
    before = await recall(store)
    assert not await keeper.keep(fold, "outdated")
    assert await recall(store) == before


async def test_messages_that_came_while_the_model_wrote_do_not_matter(
    store: Store, keeper: MemoryKeeper
) -> None:
    await seed(store)
    for _ in range(BATCH):
        await say(store)
    fold = await keeper.due("s", "echo", BATCH + 1)
    assert fold is not None
    await say(store)
    assert await keeper.keep(fold, "They had tea.")


async def test_what_bots_say_is_folded_too_and_deleted_messages_are_not(
    store: Store, keeper: MemoryKeeper
) -> None:
    await seed(store)

    def answer(tx: Transaction) -> Event:
        said = MessageCreated(text="hello yourself")
        return tx.log.append("s", ECHO, said, NOW)

    for _ in range(BATCH):
        await say(store)
    await store.transact(answer)
    await store.transact(lambda tx: tx.log.erase("s", 1, NOW))
    fold = await keeper.due("s", "echo", 99)
    assert fold is not None
    assert [turn.seq for turn in fold.turns] == list(range(2, BATCH + 2))
    assert fold.turns[-1].sender == ECHO
