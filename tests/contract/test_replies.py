"""Reply jobs: leased, fenced, in prompt order, ended once."""

import asyncio
from datetime import timedelta

from chatserver.chat.events import MessageCreated
from chatserver.chat.models import ReplyState
from chatserver.chat.ports import Asked, Claim, Store, Transaction
from tests.contract.seeding import ECHO, NOW, join_bots, later, queued, say, seed

LEASE = timedelta(seconds=60)
LAPSED = timedelta()
"""A lease that is over as soon as it begins, on anybody's clock."""


async def claim(store: Store, owner: str, lease: timedelta = LEASE) -> Claim | None:
    return await store.transact(lambda tx: tx.replies.claim(owner, NOW, lease))


async def renew(store: Store, claim: Claim, partial: str, lease: timedelta = LEASE) -> bool | None:
    return await store.transact(lambda tx: tx.replies.renew(claim, partial, NOW, lease))


async def enqueue(store: Store, session_id: str, reply_id: str, prompt: int, at: float = 0) -> None:
    reply = queued(session_id, reply_id, prompt)
    await store.transact(lambda tx: tx.replies.add(reply, later(at), asker="ada"))


async def test_each_reply_is_claimed_by_one_worker_only(store: Store) -> None:
    for n in range(10):
        await enqueue(store, await seed(store, f"s{n}"), f"r{n}", 1)
    claims = await asyncio.gather(*[claim(store, f"w{n}") for n in range(20)])
    got = [each.reply.reply_id for each in claims if each is not None]
    assert sorted(got) == sorted(f"r{n}" for n in range(10))


async def test_one_reply_runs_per_session_in_prompt_order(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "second", 2, at=0)
    await enqueue(store, "s", "first", 1, at=1)
    first = await claim(store, "w")
    assert first is not None
    assert first.reply.reply_id == "first"
    assert await claim(store, "w") is None
    await store.transact(lambda tx: tx.replies.finish("first", ReplyState.DONE, later(2)))
    second = await claim(store, "w")
    assert second is not None
    assert second.reply.reply_id == "second"


async def test_a_lapsed_lease_is_taken_over_and_the_first_worker_fenced_off(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    first = await claim(store, "w1")
    assert first is not None
    assert await claim(store, "w2") is None
    await renew(store, first, "", LAPSED)
    second = await claim(store, "w2")
    assert second is not None
    assert (second.reply.attempt, second.takeovers) == (2, 1)
    holds = [await store.read(lambda tx, c=c: tx.replies.holds(c)) for c in (first, second)]  # type: ignore[misc]
    assert holds == [False, True]
    assert await renew(store, first, "late") is None
    await store.transact(lambda tx: tx.replies.release(first, ""))
    assert await store.read(lambda tx: tx.replies.holds(second))


async def test_a_renewed_lease_does_not_lapse_and_keeps_the_text(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    mine = await claim(store, "w1", LAPSED)
    assert mine is not None
    assert await renew(store, mine, "so far") is False
    assert await claim(store, "w2") is None
    (reply,) = await store.read(lambda tx: tx.replies.active("s"))
    assert reply.text == "so far"


async def test_a_stop_is_seen_at_the_next_beat_and_by_whoever_takes_over(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    mine = await claim(store, "w1")
    assert mine is not None
    await store.transact(lambda tx: tx.replies.request_stop("r"))
    assert await store.read(lambda tx: tx.replies.to_stop("w1")) == ["r"]
    assert await store.read(lambda tx: tx.replies.to_stop("w2")) == []
    assert await renew(store, mine, "", LAPSED) is True
    other = await claim(store, "w2")
    assert other is not None
    assert other.stop_requested


async def test_a_released_reply_waits_again_without_counting_as_a_death(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    mine = await claim(store, "w1")
    assert mine is not None
    await store.transact(lambda tx: tx.replies.release(mine, "I was sa"))
    again = await claim(store, "w2")
    assert again is not None
    assert (again.reply.attempt, again.takeovers) == (2, 0)
    assert again.earlier == "I was sa"


async def test_orphans_wait_again_and_count_as_a_death(store: Store) -> None:
    for name in ("s", "t"):
        await enqueue(store, await seed(store, name), f"r-{name}", 1)
    await claim(store, "dead")
    assert await store.transact(lambda tx: tx.replies.release_orphans()) == 1
    claims = [await claim(store, "w"), await claim(store, "w")]
    assert sorted(each.takeovers for each in claims if each is not None) == [0, 1]


async def test_an_ended_reply_keeps_its_outcome_but_no_text(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    mine = await claim(store, "w")
    assert mine is not None
    await renew(store, mine, "secret")
    await store.transact(lambda tx: tx.replies.finish("r", ReplyState.DONE, later(1), result_seq=7))
    reply = await store.read(lambda tx: tx.replies.get("s", "r"))
    assert reply is not None
    assert (reply.state, reply.result_seq, reply.text) == (ReplyState.DONE, 7, "")
    assert not await store.read(lambda tx: tx.replies.holds(mine))
    assert await store.read(lambda tx: tx.replies.active("s")) == []


async def test_the_newest_reply_of_a_prompt_is_the_one_asked_for_last(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "old", 1, at=0)
    await enqueue(store, "s", "new", 1, at=1)
    newest = await store.read(lambda tx: tx.replies.newest_of_prompt("s", 1))
    assert newest is not None
    assert newest.reply_id == "new"
    assert await store.read(lambda tx: tx.replies.get("other", "new")) is None


async def test_replies_to_one_prompt_run_one_by_one_in_the_order_of_position(store: Store) -> None:
    await seed(store)

    def work(tx: Transaction) -> None:
        for position, reply_id in ((2, "a"), (0, "c"), (1, "b")):
            tx.replies.add(queued("s", reply_id, 1), NOW, asker="ada", position=position)

    await store.transact(work)
    for expected in ("c", "b", "a"):
        claimed = await claim(store, "w")
        assert claimed is not None
        assert claimed.reply.reply_id == expected
        assert await claim(store, "w") is None
        done = claimed.reply.reply_id
        await store.transact(
            lambda tx, done=done: tx.replies.finish(done, ReplyState.DONE, NOW)  # type: ignore[misc]
        )


async def test_no_more_replies_run_for_one_asker_than_allowed_and_others_go_on(
    store: Store,
) -> None:
    async def next_one(owner: str) -> str | None:
        claimed = await store.transact(
            lambda tx: tx.replies.claim(owner, NOW, LEASE, running_each=2)
        )
        return claimed.reply.reply_id if claimed else None

    for number, asker in enumerate(("ada", "ada", "ada", "bob")):
        name = await seed(store, f"s{number}")
        reply, at = queued(name, f"{asker}-{number}", 1), later(number)
        await store.transact(
            lambda tx, reply=reply, asker=asker, at=at: tx.replies.add(reply, at, asker=asker)  # type: ignore[misc]
        )
    assert [await next_one("w") for _ in range(4)] == ["ada-0", "ada-1", "bob-3", None]
    await store.transact(lambda tx: tx.replies.finish("ada-0", ReplyState.DONE, NOW))
    assert await next_one("w") == "ada-2"


async def test_turns_are_the_replies_to_bots_since_a_person_spoke(store: Store) -> None:
    await seed(store)
    await join_bots(store, "echo")

    async def answer(prompt_seq: int) -> int:
        reply = queued("s", f"to-{prompt_seq}", prompt_seq)

        def work(tx: Transaction) -> int:
            tx.replies.add(reply, NOW, asker="ada")
            tx.log.append("s", ECHO, MessageCreated(text="hi", reply_to=prompt_seq), NOW)
            return tx.replies.count_turns("s")

        return await store.transact(work)

    await say(store)
    assert [await answer(seq) for seq in (1, 2, 3)] == [0, 1, 2]
    await say(store)
    assert [await answer(seq) for seq in (5, 6)] == [0, 1]


async def test_what_somebody_used_is_counted_by_the_day(store: Store) -> None:
    day, next_day = NOW, NOW + timedelta(days=1)
    await store.transact(lambda tx: tx.usage.add("ada", day, replies=2))
    await store.transact(lambda tx: tx.usage.add("ada", day, replies=1, tokens=70))
    assert await store.read(lambda tx: tx.usage.of("ada", day)) == Asked(3, 70)
    assert await store.read(lambda tx: tx.usage.of("bob", day)) == Asked(0, 0)
    assert await store.read(lambda tx: tx.usage.of("ada", next_day)) == Asked(0, 0)
    await store.transact(lambda tx: tx.usage.add("ada", next_day, tokens=5))
    assert await store.read(lambda tx: tx.usage.of("ada", next_day)) == Asked(0, 5)


async def test_who_is_late_by_the_clock_does_not_wipe_out_what_was_used_today(store: Store) -> None:
    yesterday = NOW - timedelta(days=1)
    await store.transact(lambda tx: tx.usage.add("ada", NOW, replies=2, tokens=70))
    await store.transact(lambda tx: tx.usage.add("ada", yesterday, replies=1, tokens=5))
    assert await store.read(lambda tx: tx.usage.of("ada", NOW)) == Asked(3, 75)
    await seed(store, bot="echo", at=yesterday)
    await say(store, at=yesterday)
    assert await store.read(lambda tx: tx.usage.of("ada", NOW)) == Asked(4, 75)


async def test_a_message_counts_the_replies_that_it_asks_for(store: Store) -> None:
    await seed(store, bot="echo")
    await say(store)
    assert await store.read(lambda tx: tx.usage.of("ada", NOW)) == Asked(1, 0)


async def test_what_an_interrupted_attempt_said_is_not_the_next_ones_text(store: Store) -> None:
    await seed(store)
    await enqueue(store, "s", "r", 1)
    first = await claim(store, "w1")
    assert first is not None
    await renew(store, first, "Once upon", LAPSED)
    again = await claim(store, "w2")
    assert again is not None
    assert (again.earlier, again.reply.text) == ("Once upon", "")

    async def text() -> str:
        reply = await store.read(lambda tx: tx.replies.get("s", "r"))
        assert reply is not None
        return reply.text

    await renew(store, again, "")
    assert await text() == ""
    await renew(store, again, "Der")
    assert await text() == "Der"
    await store.transact(lambda tx: tx.replies.release(again, "Der Hund"))
    third = await claim(store, "w3")
    assert third is not None
    assert third.earlier == "Der Hund"


async def test_answers_are_found_by_what_they_answer(store: Store) -> None:
    await seed(store)
    for reply_id, prompt, result in (("a", 1, 4), ("b", 2, 5), ("c", 1, 6)):
        await enqueue(store, "s", reply_id, prompt)
        await store.transact(
            lambda tx, r=reply_id, seq=result: tx.replies.finish(  # type: ignore[misc]
                r, ReplyState.DONE, NOW, result_seq=seq
            )
        )
    assert await store.read(lambda tx: tx.replies.answers("s", 1, "echo")) == [6, 4]
    assert await store.read(lambda tx: tx.replies.late_answers("s", 1, 3)) == [4, 5, 6]
    assert await store.read(lambda tx: tx.replies.late_answers("s", 2, 3)) == [5]
    assert await store.read(lambda tx: tx.replies.late_answers("s", 1, 2)) == [4, 6]
