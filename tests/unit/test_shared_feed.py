"""The feed of one instance of several, on a real store and a bus on which a test is the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Hashable
from pathlib import Path
from typing import Any

import orjson
import pytest

from chatserver.chat.events import ParticipantLeft, ReplyFinished, Signal, TypingChanged
from chatserver.chat.limits import Limits
from chatserver.chat.models import Event
from chatserver.realtime.bus import Hear, session_channel
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.frame import Kind, new_origin, pack
from chatserver.realtime.manager import NAMESPACE, packet_of
from chatserver.realtime.packed import NUMBERS, PackedEvent
from chatserver.realtime.shared_feed import SharedFeed
from chatserver.store.migrate import migrate
from chatserver.store.sqlite import SqliteStore
from tests.unit.test_feed import ADA, BOB, NOW, Fixture, NotingManager
from tests.waiting import eventually


class QuietBus:
    """Nobody else is there, but for the frames that a test lets be heard."""

    def __init__(self) -> None:
        self.lost: Callable[[str, bytes], None] = lambda channel, frame: None
        self.sending: Callable[[], None] = lambda: None
        self.hearing_again: Callable[[], None] = lambda: None
        self.is_deaf = False
        self.channels: dict[str, Hear] = {}

    def publish(self, channel: str, frame: bytes, *, keep: bool) -> None: ...

    def reach(self, channel: str, frame: bytes) -> "asyncio.Future[int]":
        return done(1)

    def subscribe(self, channel: str, hear: Hear) -> "asyncio.Future[None]":
        self.channels[channel] = hear
        return done(None)

    def unsubscribe(self, channel: str) -> None:
        self.channels.pop(channel, None)


def done(result: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future


class PacketManager(NotingManager):
    def fan_out(
        self, namespace: str, room: Hashable, packet: Outgoing, skip: Collection[str] = ()
    ) -> int:
        name, payload = orjson.loads(packet.polled[len(f"42{NAMESPACE},") :])
        for sid in self._in.get(str(room), ()):
            self.sent.setdefault(sid, []).append((name, payload))
        return len(self._in.get(str(room), ()))


class SharedFixture(Fixture):
    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.bus = QuietBus()
        self.manager = PacketManager()
        self.feed = SharedFeed(
            self.manager, store, self.metrics, self.bus, new_origin(), lease_seconds=10
        )

    def hear(self, event: Event, body: bytes | None = None) -> None:
        """What another instance says of an event."""
        body = PackedEvent.of(event).text if body is None else body
        frame = pack(Kind.EVENT, new_origin(), event.seq, body, NUMBERS[event.type])
        self.bus.channels[session_channel(event.session_id)](frame)

    def hear_signal(self, session_id: str, seq: int, signal: Signal) -> None:
        """What another instance says of one that follows the event `seq`."""
        body = packet_of(signal.name, signal).encode()
        self.bus.channels[session_channel(session_id)](pack(Kind.SIGNAL, new_origin(), seq, body))


def newer(event: Event) -> bytes:
    """As a release tells it that knows more of it."""
    return PackedEvent.of(event).text.replace(b'"sender":{', b'"sender":{"since":7,')


@pytest.fixture
async def fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SharedFixture]:
    # Nothing that is known to be lost is waited for.
    monkeypatch.setattr("chatserver.realtime.feed.LATE_SECONDS", 60.0)
    migrate(f"sqlite:///{tmp_path / 'feed.db'}")
    store = SqliteStore(tmp_path / "feed.db", Limits())
    store.open()
    yield SharedFixture(store)
    await store.close()


async def test_what_another_release_says_is_handed_on_unread(fixture: SharedFixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    (event,) = await fixture.say(session_id, 1)
    fixture.hear(event, newer(event))
    assert fixture.manager.seqs("sid") == [3]


async def test_an_event_that_must_be_looked_at_and_cannot_is_read_from_the_store(
    fixture: SharedFixture,
) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    typing = TypingChanged(session_id=session_id, participant=ADA, typing=True)
    fixture.feed.signal(session_id, typing)
    (event,) = await fixture.say(session_id, 1)
    fixture.hear(event, newer(event))
    await eventually(lambda: fixture.manager.seqs("sid") == [3])
    assert [name for name, _ in fixture.manager.sent["sid"]][-2:] == [
        "typing_changed",
        "message_created",
    ]


async def test_the_same_of_one_that_came_before_its_turn(
    fixture: SharedFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.realtime.feed.LATE_SECONDS", 0.005)
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    typing = TypingChanged(session_id=session_id, participant=BOB, typing=True)
    first, second = await fixture.say(session_id, 2)
    fixture.hear(second, newer(second))
    fixture.feed.signal(session_id, typing)
    fixture.hear(first)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4])


async def test_a_joiner_takes_another_snapshot_where_what_it_missed_cannot_be_read(
    fixture: SharedFixture,
) -> None:
    session_id = await fixture.session()
    async with fixture.feed.hosting(session_id) as room:
        snapshot = await fixture.snapshot(session_id)
        (event,) = await fixture.say(session_id, 1)
        fixture.hear(event, newer(event))
        assert fixture.feed.enter_with(room, "sid", BOB, snapshot) is None
        joined = fixture.feed.enter_with(room, "sid", BOB, await fixture.snapshot(session_id))
    assert joined is not None
    assert joined.to_seq == event.seq


async def test_an_event_told_by_its_number_alone_is_read_at_once(fixture: SharedFixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    (event,) = await fixture.say(session_id, 1)
    fixture.hear(event, b"")
    await eventually(lambda: fixture.manager.seqs("sid") == [3])


async def test_the_deaf_wait_for_nothing_that_may_come(fixture: SharedFixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "sid")
    fixture.bus.is_deaf = True
    _, last = await fixture.say(session_id, 2)
    fixture.feed.heard(last)
    await eventually(lambda: fixture.manager.seqs("sid") == [3, 4])


async def test_a_signal_that_waits_is_not_for_who_left_meanwhile(fixture: SharedFixture) -> None:
    session_id = await fixture.session()
    await fixture.enter(session_id, "bob")
    late, answer = await fixture.say(session_id, 2)
    fixture.hear(answer)
    over = ReplyFinished(session_id=session_id, reply_id="r", seq=answer.seq)
    fixture.hear_signal(session_id, answer.seq, over)
    left = ParticipantLeft(participant=BOB)
    fixture.hear(await fixture.store.transact(lambda tx: tx.log.append(session_id, BOB, left, NOW)))
    fixture.hear(late)
    assert [name for name, _ in fixture.manager.sent["bob"]] == [
        "message_created",
        "message_created",
        "participant_left",
    ]
