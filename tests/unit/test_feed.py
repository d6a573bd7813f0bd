"""The ordered feed, on a real store and with a manager that only takes notes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatserver.chat.commands import Joined
from chatserver.chat.errors import NotFound, NotMember, Unavailable
from chatserver.chat.events import (
    ParticipantJoined,
    ParticipantLeft,
    ReadChanged,
    ReplyDelta,
    ReplyStarted,
)
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event, Model, Participant, ParticipantKind, Role, Session
from chatserver.chat.ports import MessageDraft, Transaction
from chatserver.observability.metrics import Metrics
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.manager import RoomManager
from chatserver.realtime.room import Room
from chatserver.store.migrate import migrate
from chatserver.store.sqlite import SqliteStore
from tests.waiting import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Participant(id="ada", name="Ada", kind=ParticipantKind.USER)
BOB = Participant(id="bob", name="Bob", kind=ParticipantKind.USER)
BOT = Participant(id="bot:echo", name="echo", kind=ParticipantKind.BOT)


class NotingManager(RoomManager):
    """Keeps what each connection was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[tuple[str, Any]]] = {}
        self._in: dict[str, set[str]] = {}
        self.unread: Callable[[str], bool] = lambda sid: False

    def broadcast(self, room: str | None, event: str, payload: Model) -> int:
        for sid in self._in.get(str(room), ()):
            self.sent.setdefault(sid, []).append((event, payload.wire()))
        return len(self._in.get(str(room), ()))

    def basic_enter_room(
        self, sid: str, namespace: str, room: Hashable, eio_sid: str | None = None
    ) -> None:
        self._in.setdefault(str(room), set()).add(sid)

    def basic_leave_room(self, sid: str, namespace: str, room: Hashable) -> None:
        self._in.get(str(room), set()).discard(sid)

    def is_crowded(self, room: str) -> bool:
        return any(self.unread(sid) for sid in self._in.get(room, ()))

    def seqs(self, sid: str) -> list[int]:
        return [payload["seq"] for _, payload in self.sent.get(sid, ()) if "type" in payload]


class Fixture:
    """A store with one session, and a feed that hears nothing unless a test tells it."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.manager = NotingManager()
        self.metrics = Metrics()
        self.feed = RoomFeed(self.manager, store, self.metrics)
        self.events: list[Event] = []
        store.subscribe(lambda commit: self.events.extend(commit.events))
        self._numbers = iter(range(1_000_000))

    async def session(self) -> str:
        session_id = f"session-{next(self._numbers)}"

        def work(tx: Transaction) -> None:
            for who in (ADA, BOB):
                tx.tokens.ensure_participant(who, NOW)
            tx.sessions.add(
                Session.model_validate(
                    {
                        "id": session_id,
                        "title": "",
                        "visibility": "private",
                        "reply_policy": "off",
                        "bot": None,
                        "created_by": "ada",
                        "created_at": NOW,
                        "last_seq": 0,
                    }
                )
            )
            for who in (ADA, BOB):
                tx.members.put(session_id, who.id, Role.MEMBER, NOW)
                joined = ParticipantJoined(participant=who, role=Role.MEMBER)
                tx.log.append(session_id, who, joined, NOW)

        await self.store.transact(work)
        self.events.clear()
        return session_id

    async def say(self, session_id: str, count: int) -> list[Event]:
        said = [
            await self.store.append_message(
                MessageDraft(session_id, ADA, "hello", f"{next(self._numbers)}", None, NOW)
            )
            for _ in range(count)
        ]
        return [each.message for each in said]

    async def snapshot(self, session_id: str) -> Joined:
        def work(tx: Transaction) -> Joined:
            session = tx.sessions.get(session_id)
            assert session is not None
            return Joined(
                session=session,
                members=tx.members.all(session_id),
                events=tx.log.before(session_id, None, 50),
                from_seq=1,
                to_seq=session.last_seq,
                complete=True,
                replies=[],
            )

        return await self.store.read(work)

    async def enter(self, session_id: str, sid: str) -> Joined | None:
        async with self.feed.hosting(session_id) as room:
            return self.feed.enter_with(room, sid, BOB, await self.snapshot(session_id))

    def room(self, session_id: str) -> Room:
        return self.feed._rooms[session_id]


@pytest.fixture
async def fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fixture]:
    # All hints of a test are given at once.
    monkeypatch.setattr("chatserver.realtime.feed.LATE_SECONDS", 0.005)
    migrate(f"sqlite:///{tmp_path / 'feed.db'}")
    store = SqliteStore(tmp_path / "feed.db", Limits())
    store.open()
    yield Fixture(store)
    await store.close()


async def test_a_hint_that_comes_twice_is_delivered_once(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    (event,) = await fixture.say(session_id, 1)
    fixture.feed.heard(event)
    fixture.feed.heard(event)
    assert fixture.manager.seqs("sid") == [3]


async def test_a_hole_is_read_from_the_store_before_what_comes_after_it(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    *_, last = await fixture.say(session_id, 5)
    fixture.feed.heard(last)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4, 5, 6, 7])


async def test_events_that_overtake_each_other_are_not_read_again(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    for event in reversed(await fixture.say(session_id, 3)):
        fixture.feed.heard(event)
        await asyncio.sleep(0)
    assert fixture.manager.seqs("sid") == [3, 4, 5]
    await eventually(lambda: fixture.room(session_id).catching_up is None)
    registry = fixture.metrics.registry
    assert registry.get_sample_value("chatserver_gaps_healed_total") == 0


async def test_more_hints_than_are_kept_are_read_again_without_another_hint(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    said = await fixture.say(session_id, 30)
    monkeypatch.setattr("chatserver.realtime.feed.AHEAD_EVENTS", 10)
    for event in reversed(said):
        fixture.feed.heard(event)
    await eventually(lambda: fixture.manager.seqs("sid") == list(range(3, 33)))
    assert not fixture.room(session_id).ahead


async def test_catching_up_goes_at_the_pace_of_those_who_read(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    taken = 0
    fixture.manager.unread = lambda sid: len(fixture.manager.seqs(sid)) > taken
    *_, last = await fixture.say(session_id, 4)
    fixture.feed.heard(last)
    for taken in range(3):
        await eventually(lambda: len(fixture.manager.seqs("sid")) == taken + 1)  # noqa: B023
        await asyncio.sleep(0)
        assert len(fixture.manager.seqs("sid")) == taken + 1
    taken = 4
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4, 5, 6])


async def test_catching_up_waits_for_nobody_who_does_not_read_at_all(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    fixture.manager.unread = lambda sid: True
    *_, last = await fixture.say(session_id, 4)
    fixture.feed.heard(last)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4, 5, 6])


async def test_catching_up_outlasts_a_store_that_does_not_answer(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    *_, last = await fixture.say(session_id, 2)
    read, refusals = fixture.store.read, iter([True, False])

    async def fails_once(work: Any) -> Any:
        if next(refusals, False):
            raise Unavailable("not now")
        return await read(work)

    monkeypatch.setattr(fixture.store, "read", fails_once)
    fixture.feed.heard(last)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4])


async def test_catching_up_outlasts_a_defect(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    *_, last = await fixture.say(session_id, 2)
    read, defects = fixture.store.read, iter([True, False])

    async def crashes_once(work: Any) -> Any:
        if next(defects, False):
            raise ZeroDivisionError
        return await read(work)

    monkeypatch.setattr(fixture.store, "read", crashes_once)
    fixture.feed.heard(last)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4])


@settings(
    max_examples=100,
    deadline=None,
    # Each example has a session of its own; the store and the feed may know those before it.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.permutations(range(8)),
    lost=st.sets(st.integers(0, 6)),
    twice=st.lists(st.integers(0, 7), max_size=8),
)
async def test_whatever_hints_are_lost_doubled_or_late_each_event_arrives_once_in_order(
    fixture: Fixture, order: list[int], lost: set[int], twice: list[int]
) -> None:
    session_id = await fixture.session()
    sid = f"sid of {session_id}"
    await fixture.enter(session_id, sid)
    said = await fixture.say(session_id, 8)
    for index in [*order, *twice]:
        # The last is never lost: only what comes after a hole shows that there is one.
        if index not in lost:
            fixture.feed.heard(said[index])
            await asyncio.sleep(0)
    await eventually(lambda: fixture.manager.seqs(sid) == list(range(3, 11)))


async def test_a_joiner_gets_what_was_committed_since_its_snapshot_in_the_snapshot(
    fixture: Fixture,
) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        for event in await fixture.say(session_id, 2):
            fixture.feed.heard(event)
        joined = fixture.feed.enter_with(room, "sid", BOB, snapshot)
    assert joined is not None
    assert [event.seq for event in joined.events] == [1, 2, 3, 4]
    assert joined.to_seq == 4
    (live,) = await fixture.say(session_id, 1)
    fixture.feed.heard(live)
    assert fixture.manager.seqs("sid") == [5]


async def test_a_snapshot_ahead_of_what_was_heard_tells_the_room_first(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "early")
    async with fixture.feed.hosting(session_id) as room:
        said = await fixture.say(session_id, 2)
        joined = fixture.feed.enter_with(room, "sid", BOB, await fixture.snapshot(session_id))
    assert joined is not None
    assert joined.to_seq == joined.session.last_seq == 4
    for event in said:
        fixture.feed.heard(event)
    assert fixture.manager.seqs("sid") == []
    assert fixture.manager.seqs("early") == [3, 4]


async def test_a_snapshot_whose_members_have_changed_since_is_brought_up_to_date(
    fixture: Fixture,
) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        left = ParticipantLeft(participant=ADA)
        fixture.feed.heard(
            await fixture.store.transact(lambda tx: tx.log.append(session_id, ADA, left, NOW))
        )
        joined = fixture.feed.enter_with(room, "sid", BOB, snapshot)
        assert joined is not None
        assert [member.participant for member in joined.members] == [BOB]
        assert joined.to_seq == snapshot.to_seq + 1


async def test_a_read_mark_told_during_the_join_is_in_the_members(fixture: Fixture) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        read = ReadChanged(session_id=session_id, participant_id="ada", seq=2)
        fixture.feed.signal(session_id, read)
        joined = fixture.feed.enter_with(room, "sid", BOB, snapshot)
    assert joined is not None
    assert {m.participant.id: m.read_seq for m in joined.members} == {"ada": 2, "bob": 0}


async def test_a_snapshot_older_than_what_the_room_remembers_is_refused(fixture: Fixture) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        for event in await fixture.say(session_id, 300):
            fixture.feed.heard(event)
        assert fixture.feed.enter_with(room, "sid", BOB, snapshot) is None
        assert "sid" not in room.sids


async def test_who_left_during_the_join_does_not_enter(fixture: Fixture) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        left = ParticipantLeft(participant=BOB)
        fixture.feed.heard(
            await fixture.store.transact(lambda tx: tx.log.append(session_id, BOB, left, NOW))
        )
        with pytest.raises(NotMember):
            fixture.feed.enter_with(room, "sid", BOB, snapshot)


async def test_nobody_enters_a_session_that_was_deleted_during_the_join(fixture: Fixture) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        fixture.feed.close_session(session_id)
        with pytest.raises(NotFound):
            fixture.feed.enter_with(room, "sid", BOB, snapshot)


async def test_who_leaves_hears_of_it_and_of_nothing_after(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    left = ParticipantLeft(participant=BOB)
    fixture.feed.heard(
        await fixture.store.transact(lambda tx: tx.log.append(session_id, BOB, left, NOW))
    )
    for event in await fixture.say(session_id, 1):
        fixture.feed.heard(event)
    assert fixture.manager.seqs("sid") == [3]


async def test_a_room_is_forgotten_with_its_last_connection(fixture: Fixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "one")
    await fixture.enter(session_id, "two")
    fixture.feed.exit(session_id, "one")
    assert fixture.room(session_id).sids
    fixture.feed.exit_all("two")
    assert not fixture.feed._rooms
    assert not fixture.feed._entered


async def test_a_room_whose_store_does_not_answer_is_not_kept(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: Any) -> Any:
        raise Unavailable("not now")

    monkeypatch.setattr(fixture.store, "read", fails)
    with pytest.raises(Unavailable):
        async with fixture.feed.hosting("any"):
            pass
    assert not fixture.feed._rooms


@pytest.mark.parametrize("where", ["listening", "reading"])
async def test_nobody_waits_for_a_room_that_a_defect_keeps_closed(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async def crashes(_: Any) -> Any:
        raise ZeroDivisionError

    if where == "listening":
        monkeypatch.setattr(fixture.feed, "_listen", crashes)
    else:
        monkeypatch.setattr(fixture.store, "read", crashes)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(5), fixture.feed.hosting("any"):
            pass
    assert not fixture.feed._rooms


async def test_who_joins_in_the_middle_of_a_reply_gets_its_text_so_far(fixture: Fixture) -> None:
    session_id = await fixture.session()
    which: dict[str, Any] = {"session_id": session_id, "reply_id": "r", "attempt": 2}
    fixture.feed.signal(session_id, ReplyStarted(**which, prompt_seq=1, bot=BOT))
    fixture.feed.signal(session_id, ReplyDelta(**which, offset=0, text="so "))
    fixture.feed.signal(session_id, ReplyDelta(**which, offset=3, text="far"))
    joined = await fixture.enter(session_id, "sid")
    assert joined is not None
    assert [(reply.text, reply.attempt) for reply in joined.replies] == [("so far", 2)]


async def test_presence_is_told_for_the_first_and_the_last_connection_only(
    fixture: Fixture,
) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        fixture.feed.enter(room, "watcher", ADA)
    await fixture.enter(session_id, "one")
    await fixture.enter(session_id, "two")
    fixture.feed.exit(session_id, "one")
    fixture.feed.exit(session_id, "two")
    told = [
        payload["online"]
        for name, payload in fixture.manager.sent["watcher"]
        if name == "presence_changed"
    ]
    assert told == [True, False]
