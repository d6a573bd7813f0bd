"""Appending messages: durable, gapless, idempotent."""

import asyncio

import pytest

from chatserver.chat.errors import Busy, Conflict, InvalidPayload, NotFound, NotMember
from chatserver.chat.models import ReplyState, Visibility
from chatserver.chat.ports import Commit, Store
from tests.contract.seeding import ADA, BOB, EVE, NOW, draft, join_bots, later, say, seed


async def test_messages_get_the_numbers_one_to_n_whoever_sends_at_once(store: Store) -> None:
    await seed(store, "s")
    await seed(store, "t")
    sent = await asyncio.gather(
        *[say(store, ("s", "t")[n % 2], sender=(ADA, BOB)[n // 2 % 2]) for n in range(100)]
    )
    for session_id in ("s", "t"):
        log = await store.read(lambda tx, which=session_id: tx.log.after(which, 0, 100))  # type: ignore[misc]
        assert [event.seq for event in log] == list(range(1, 51))
        acked = [each.message for each in sent if each.message.session_id == session_id]
        assert sorted(acked, key=lambda event: event.seq) == log


async def test_listeners_hear_of_events_in_order_and_before_the_ack(store: Store) -> None:
    await seed(store)
    heard: list[int] = []
    store.subscribe(lambda commit: heard.extend(event.seq for event in commit.events))

    async def send() -> None:
        appended = await say(store)
        assert appended.message.seq in heard

    await asyncio.gather(*[send() for _ in range(50)])
    assert heard == list(range(1, 51))


async def test_the_same_client_message_id_is_stored_once_and_acked_alike(store: Store) -> None:
    await seed(store, bot="echo")
    commits: list[Commit] = []
    first, *repeats = await asyncio.gather(
        *[say(store, text="hi", id="one", at=later(n)) for n in range(3)]
    )
    store.subscribe(commits.append)
    repeats.append(await say(store, text="hi", id="one", at=later(9)))
    assert not first.duplicate
    for repeat in repeats:
        assert repeat.duplicate
        assert repeat.message == first.message
    assert not commits
    assert len(await store.read(lambda tx: tx.log.after("s", 0, 10))) == 1
    assert len(await store.read(lambda tx: tx.replies.active("s"))) == 1


async def test_the_same_id_of_another_sender_or_session_is_another_message(store: Store) -> None:
    await seed(store, "s")
    await seed(store, "t")
    for session_id, sender in (("s", ADA), ("s", BOB), ("t", ADA)):
        appended = await say(store, session_id, id="one", sender=sender)
        assert not appended.duplicate


@pytest.mark.parametrize("changed", [{"text": "other"}, {"reply_to": 1}])
async def test_the_same_id_with_another_body_is_a_conflict(
    store: Store, changed: dict[str, object]
) -> None:
    await seed(store)
    await say(store, text="first")
    await say(store, text="hi", id="one")
    with pytest.raises(Conflict):
        await say(store, **{"text": "hi", "id": "one", **changed})  # type: ignore[arg-type]
    assert len(await store.read(lambda tx: tx.log.after("s", 0, 10))) == 2


async def test_an_edited_message_still_knows_its_own_repeat(store: Store) -> None:
    await seed(store)
    await say(store, text="hi", id="one")
    await store.transact(lambda tx: tx.log.edit("s", 1, "edited", NOW))
    repeat = await say(store, text="hi", id="one")
    assert repeat.duplicate
    assert repeat.message.data["text"] == "edited"


async def test_a_deleted_message_is_not_sent_again_by_its_repeat(store: Store) -> None:
    await seed(store)
    await say(store, text="hi", id="one")
    await store.transact(lambda tx: tx.log.erase("s", 1, NOW))
    repeat = await say(store, text="hi", id="one")
    assert repeat.duplicate
    assert repeat.message.data["text"] == ""


async def test_who_may_not_see_a_session_is_told_that_there_is_none(store: Store) -> None:
    await seed(store, "private")
    await seed(store, "public", visibility=Visibility.PUBLIC)
    await store.transact(lambda tx: tx.tokens.ensure_participant(EVE, NOW))
    for session_id, refusal in (("private", NotFound), ("none", NotFound), ("public", NotMember)):
        with pytest.raises(refusal):
            await say(store, session_id, sender=EVE)


async def test_a_former_member_is_refused(store: Store) -> None:
    await seed(store)
    await store.transact(lambda tx: tx.members.end("s", "bob", NOW))
    with pytest.raises(NotFound):
        await say(store, sender=BOB)


async def test_a_refused_message_does_not_hurt_those_committed_with_it(store: Store) -> None:
    await seed(store)
    outcomes = await asyncio.gather(
        say(store), say(store, "none"), say(store), say(store, reply_to=99), return_exceptions=True
    )
    assert [type(each) for each in outcomes[1::2]] == [NotFound, InvalidPayload]
    assert [event.seq for event in await store.read(lambda tx: tx.log.after("s", 0, 9))] == [1, 2]


async def test_a_message_answers_only_a_message_of_its_session(store: Store) -> None:
    await seed(store)
    await say(store)
    assert (await say(store, reply_to=1)).message.data["reply_to"] == 1
    with pytest.raises(InvalidPayload, match="reply_to"):
        await say(store, reply_to=7)


async def test_a_prompt_and_its_reply_are_committed_together(store: Store) -> None:
    await seed(store, bot="echo")
    prompts: list[int] = []
    store.subscribe(lambda commit: prompts.append(commit.prompts))
    await say(store)
    (reply,) = await store.read(lambda tx: tx.replies.active("s"))
    assert (reply.prompt_seq, reply.bot, reply.state) == (1, "echo", ReplyState.QUEUED)
    assert prompts == [1]


async def test_a_prompt_too_many_is_busy_and_stores_nothing(store: Store) -> None:
    await seed(store, bot="echo")
    for n in range(3):
        await say(store, id=f"prompt-{n}")
    with pytest.raises(Busy):
        await say(store)
    assert len(await store.read(lambda tx: tx.log.after("s", 0, 9))) == 3
    assert (await say(store, id="prompt-0")).duplicate


async def test_times_and_texts_come_back_as_they_were(store: Store) -> None:
    await seed(store)
    text = 'emoji 👩‍👩‍👧 · "quotes" \\ \n\ttab · \u202eright to left'
    sent = (await store.append_message(draft(text=text, at=later(0.000001)))).message
    stored = await store.read(lambda tx: tx.log.get("s", 1))
    assert stored == sent
    assert stored is not None
    assert stored.data["text"] == text
    assert stored.created_at == later(0.000001)


async def test_mentioned_bots_get_a_reply_each_in_the_prompts_transaction(store: Store) -> None:
    await seed(store, bot="echo")
    await join_bots(store, "echo", "one", "two")
    prompts: list[int] = []
    store.subscribe(lambda commit: prompts.append(commit.prompts))
    await say(store, text="@two, then @one")
    replies = await store.read(lambda tx: tx.replies.active("s"))
    assert [(reply.bot, reply.prompt_seq) for reply in replies] == [("two", 1), ("one", 1)]
    assert prompts == [2]


async def test_a_prompt_for_more_bots_than_there_is_room_for_is_busy(store: Store) -> None:
    await seed(store, bot="echo")
    await join_bots(store, "echo", "one")
    for _ in range(2):
        await say(store)
    with pytest.raises(Busy):
        await say(store, text="@one @echo")
    await say(store, text="@one")
