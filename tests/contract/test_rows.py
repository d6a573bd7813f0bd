"""Sessions, members, tokens, invites and the log, as rows; and what a transaction is."""

import asyncio

import pytest

from chatserver.chat.events import MessageDeleted, MessageEdited, SessionUpdated
from chatserver.chat.models import ReplyPolicy, Role, Visibility
from chatserver.chat.ports import Commit, Store, Transaction
from tests.contract.seeding import ADA, BOB, EVE, NOW, later, queued, say, seed


async def test_a_failing_transaction_changes_nothing_and_is_heard_of_by_nobody(
    store: Store,
) -> None:
    await seed(store)
    commits: list[Commit] = []
    store.subscribe(commits.append)

    def work(tx: Transaction) -> None:
        tx.log.append("s", ADA, MessageDeleted(seq=1, deleted_at=NOW), NOW)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await store.transact(work)
    session = await store.read(lambda tx: tx.sessions.get("s"))
    assert session is not None
    assert session.last_seq == 0
    assert not commits


async def test_a_failing_transaction_does_not_hurt_its_neighbours(store: Store) -> None:
    await seed(store)

    def fails(tx: Transaction) -> None:
        tx.members.put("s", "nobody", Role.MEMBER, NOW)  # breaks a foreign key

    outcomes = await asyncio.gather(
        say(store), store.transact(fails), say(store), return_exceptions=True
    )
    assert isinstance(outcomes[1], Exception)
    assert len(await store.read(lambda tx: tx.log.after("s", 0, 9))) == 2


async def test_erasing_a_message_leaves_its_text_nowhere(store: Store) -> None:
    await seed(store)
    await say(store, text="secret one")

    def edit(tx: Transaction) -> None:
        tx.log.edit("s", 1, "secret two", NOW)
        tx.log.append("s", ADA, MessageEdited(seq=1, text="secret two", edited_at=NOW), NOW)

    await store.transact(edit)
    await say(store, text="stays")
    await store.transact(lambda tx: tx.log.erase("s", 1, later(1)))
    log = await store.read(lambda tx: tx.log.after("s", 0, 9))
    assert [event.data["text"] for event in log] == ["", "", "stays"]
    assert "deleted_at" in log[0].data
    assert [m.seq for m in await store.read(lambda tx: tx.log.messages("s", None, 9))] == [3]
    (count,) = await store.read(lambda tx: tx.log.counts("s"))
    assert count.messages == 1


async def test_pages_of_the_log_are_ascending_and_meet(store: Store) -> None:
    await seed(store)
    for _ in range(10):
        await say(store)

    def seqs(tx: Transaction) -> tuple[list[int], ...]:
        return (
            [e.seq for e in tx.log.before("s", None, 4)],
            [e.seq for e in tx.log.before("s", 7, 4)],
            [e.seq for e in tx.log.before("s", 3, 4)],
            [e.seq for e in tx.log.after("s", 0, 3)],
            [e.seq for e in tx.log.after("s", 8, 3)],
            [e.seq for e in tx.log.after("s", 10, 3)],
        )

    pages: tuple[list[int], ...] = ([7, 8, 9, 10], [3, 4, 5, 6], [1, 2], [1, 2, 3], [9, 10], [])
    assert await store.read(seqs) == pages


async def test_sessions_are_listed_newest_activity_first_and_pages_meet(store: Store) -> None:
    for n in range(5):
        await seed(store, f"s{n}", at=later(n))
    await say(store, "s1", at=later(100))

    async def page(before: object) -> list[str]:
        found = await store.read(lambda tx: tx.sessions.overview("ada", before, 2))  # type: ignore[arg-type]
        page.last = (found[-1].active_at, found[-1].id) if found else None  # type: ignore[attr-defined]
        return [each.id for each in found]

    assert await page(None) == ["s1", "s4"]
    assert await page(page.last) == ["s3", "s2"]  # type: ignore[attr-defined]
    assert await page(page.last) == ["s0"]  # type: ignore[attr-defined]


async def test_unread_counts_messages_of_others_after_the_mark_up_to_a_hundred(
    store: Store,
) -> None:
    await seed(store)
    for n in range(120):
        await say(store, sender=(ADA, BOB)[n % 2])
    await store.transact(lambda tx: tx.log.erase("s", 118, NOW))

    async def unread(who: str) -> int:
        (overview,) = await store.read(lambda tx: tx.sessions.overview(who, None, 9))
        assert overview.last_message is not None
        assert overview.last_message.seq == 120
        return overview.unread

    assert await unread("ada") == 59
    await store.transact(lambda tx: tx.members.mark_read("s", "ada", 100))
    assert await unread("ada") == 9
    for _ in range(110):
        await say(store, sender=BOB)
    (overview,) = await store.read(lambda tx: tx.sessions.overview("ada", None, 9))
    assert overview.unread == 100


async def test_public_sessions_are_listed_for_everybody_others_for_members_only(
    store: Store,
) -> None:
    await seed(store, "public", visibility=Visibility.PUBLIC)
    await seed(store, "private")
    await store.transact(lambda tx: tx.tokens.ensure_participant(EVE, NOW))
    (seen,) = await store.read(lambda tx: tx.sessions.public("eve", None, 9))
    assert (seen.id, seen.role, seen.unread) == ("public", None, 0)
    assert await store.read(lambda tx: tx.sessions.overview("eve", None, 9)) == []
    assert len(await store.read(lambda tx: tx.sessions.overview("ada", None, 9))) == 2


async def test_a_deleted_session_leaves_nothing_but_its_used_id(store: Store) -> None:
    await seed(store)
    await say(store, text="secret")
    await store.transact(lambda tx: tx.replies.add(queued("s", "r", 1), NOW, asker="ada"))
    await store.transact(lambda tx: tx.invites.add(b"i" * 32, "s", "ada", NOW, later(60)))
    await store.transact(lambda tx: tx.sessions.delete("s", NOW))

    def left(tx: Transaction) -> list[object]:
        return [
            tx.sessions.get("s"),
            tx.log.get("s", 1),
            tx.replies.get("s", "r"),
            tx.members.role("s", "ada"),
            *tx.sessions.overview("ada", None, 9),
        ]

    assert await store.read(left) == [None] * 4
    assert not await store.read(lambda tx: tx.invites.valid(b"i" * 32, "s", NOW))
    with pytest.raises(Exception, match=r"session|UNIQUE"):
        await seed(store)


async def test_a_member_who_comes_back_keeps_the_mark_and_is_counted_once(store: Store) -> None:
    await seed(store)
    await say(store)
    assert await store.transact(lambda tx: tx.members.mark_read("s", "bob", 1)) == 1
    await store.transact(lambda tx: tx.members.end("s", "bob", later(1)))
    assert await store.read(lambda tx: tx.members.count("s")) == 1
    assert await store.read(lambda tx: tx.members.count_sessions("bob")) == 0
    mark = await store.transact(lambda tx: tx.members.put("s", "bob", Role.OPERATOR, later(2)))
    assert mark == 1
    members = {m.participant.id: m for m in await store.read(lambda tx: tx.members.all("s"))}
    assert (members["bob"].role, members["bob"].read_seq) == (Role.OPERATOR, 1)
    assert members["bob"].joined_at == later(2)


async def test_a_read_mark_never_goes_back_nor_beyond_the_log(store: Store) -> None:
    await seed(store)
    for _ in range(3):
        await say(store)
    marks = [
        await store.transact(lambda tx, s=seq: tx.members.mark_read("s", "ada", s))  # type: ignore[misc]
        for seq in (2, 1, 99)
    ]
    assert marks == [2, 2, 3]


async def test_tokens_are_found_by_hash_extended_and_revoked(store: Store) -> None:
    await store.transact(lambda tx: tx.tokens.add(b"t" * 32, ADA, NOW, later(60)))
    record = await store.read(lambda tx: tx.tokens.find(b"t" * 32))
    assert record is not None
    assert (record.participant, record.expires_at, record.revoked) == (ADA, later(60), False)
    await store.transact(lambda tx: tx.tokens.extend(b"t" * 32, later(120)))
    await store.transact(lambda tx: tx.tokens.revoke(b"t" * 32, NOW))
    record = await store.read(lambda tx: tx.tokens.find(b"t" * 32))
    assert record is not None
    assert (record.expires_at, record.revoked) == (later(120), True)
    assert await store.read(lambda tx: tx.tokens.find(b"x" * 32)) is None


async def test_invites_are_valid_for_their_session_until_they_expire_or_are_revoked(
    store: Store,
) -> None:
    for name in ("s", "t"):
        await seed(store, name)
    await store.transact(lambda tx: tx.invites.add(b"i" * 32, "s", "ada", NOW, later(60)))

    async def valid(session_id: str, at: float) -> bool:
        return await store.read(lambda tx: tx.invites.valid(b"i" * 32, session_id, later(at)))

    assert [await valid("s", 59), await valid("s", 60), await valid("t", 0)] == [True, False, False]
    assert await store.read(lambda tx: tx.invites.count_valid("s", later(59))) == 1
    await store.transact(lambda tx: tx.invites.revoke_all("s"))
    assert not await valid("s", 0)


async def test_settings_are_saved_and_leave_the_log_alone(store: Store) -> None:
    await seed(store)
    before = await store.read(lambda tx: tx.sessions.get("s"))
    assert before is not None
    after = before.model_copy(
        update={
            "title": "new",
            "visibility": Visibility.LINK,
            "reply_policy": ReplyPolicy.MENTION,
            "bot": "echo",
            "bot_turns": 2,
        }
    )

    def work(tx: Transaction) -> None:
        tx.sessions.save_settings(after)
        settings = SessionUpdated(
            title="new", visibility=Visibility.LINK, reply_policy=ReplyPolicy.MENTION, bot="echo"
        )
        tx.log.append("s", ADA, settings, NOW)

    await store.transact(work)
    saved = await store.read(lambda tx: tx.sessions.get("s"))
    assert saved == after.model_copy(update={"last_seq": 1})
    assert await store.read(lambda tx: tx.sessions.last_seqs(["s", "none"])) == {"s": 1}
