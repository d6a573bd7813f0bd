"""The feed of an instance that is one of several: what happens here is told to the others.

Whatever the bus loses is read from the store, by the same cursor that orders local events.
"""

import asyncio
from functools import partial

import orjson
import structlog

from chatserver.chat.errors import ChatError
from chatserver.chat.events import (
    ReadChanged,
    ReplyFinished,
    ReplySignal,
    ReplyStarted,
    ReplyStopped,
    SessionDeleted,
    Signal,
    TypingChanged,
)
from chatserver.chat.models import EventType, Participant, Reply, ReplyState
from chatserver.chat.ports import Commit, Store
from chatserver.observability.metrics import Metrics
from chatserver.realtime.announcer import EVERYBODY, Announcer
from chatserver.realtime.attending import Attending
from chatserver.realtime.bus import INSTANCES, Bus, session_channel
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.frame import Frame, Kind, as_number, unpack
from chatserver.realtime.gathering import Gatherings
from chatserver.realtime.held import HeldSignals, turn_of
from chatserver.realtime.manager import NAMESPACE, RoomManager
from chatserver.realtime.owed import Owed
from chatserver.realtime.packed import TYPES, UNREADABLE, Heard, PackedEvent
from chatserver.realtime.peers import BEAT_SECONDS, Peers
from chatserver.realtime.room import Room, session_room
from chatserver.realtime.shared_presence import SharedPresence
from chatserver.realtime.shared_replies import NAMES, SharedReplies
from chatserver.realtime.sweep import Sweep

log = structlog.get_logger(__name__)

SUBSCRIBE_SECONDS = 2.0
"""Longest that a joiner waits for Redis."""
PACE = 200
"""Rooms asked or told about at a time."""


class SharedFeed(RoomFeed):
    """`chat.ports.Feed` and commit listener, between `start` and `stop`."""

    def __init__(
        self,
        manager: RoomManager,
        store: Store,
        metrics: Metrics,
        bus: Bus,
        origin: bytes,
        lease_seconds: float,
    ) -> None:
        """`origin` is this instance's name on the bus. After `lease_seconds` of silence another

        instance counts as dead, and its people as gone.
        """
        super().__init__(manager, store, metrics)
        self.bus = bus
        self._origin = origin
        self._tell = Announcer(bus, origin)
        self._people = SharedPresence(self._emit, self._tell.came_and_left)
        self._presence = self._people
        self.peers = Peers(self._people.gone, lease_seconds)
        self._replies = SharedReplies(
            self._live,
            super().signal,
            begun=self._follow,
            over=self._follow_no_more,
            ask=self._ask_again,
        )
        self._held = HeldSignals()
        self._gatherings = Gatherings()
        self._owed = Owed()
        self._attending = Attending(bus, manager, metrics)
        self._sweep = Sweep(self, bus, store, metrics, self.peers)
        self._beating: asyncio.Task[None] | None = None
        bus.lost = self._owed.add
        bus.sending = self._repay
        bus.hearing_again = self._reconcile

    def start(self) -> None:
        """Call it before the bus is started."""
        self.bus.subscribe(INSTANCES, self._hear_instance)
        self._beating = asyncio.create_task(self._beat(), name="instance-beat")
        self._sweep.start()

    async def stop(self) -> None:
        """Says good-bye. Call it before the bus is stopped."""
        await self.silence()
        self._tell.bye()

    async def silence(self) -> None:
        """Ends what goes on by itself, and says nothing."""
        if self._beating is not None:
            self._beating.cancel()
        await self._sweep.stop()

    # --- what happens here -----------------------------------------------------------------------

    def committed(self, commit: Commit) -> None:
        for event in commit.events:
            packed = PackedEvent.of(event)
            self.heard(packed)
            if event.type is EventType.REPLY_FAILED:
                self._replies.ended(event.session_id, event.data["reply_id"])
            self._tell.event(packed)

    def signal(self, session_id: str, signal: Signal) -> None:
        if isinstance(signal, ReplySignal):
            self._replies.here(signal)
        seq = _seq_before(signal)
        room = self._rooms.get(session_id)
        turn = turn_of(room, seq) if room is not None else seq
        if room is not None and self._held.must_wait(room, turn):
            self._hold(room, turn, partial(super().signal, session_id, signal))
        else:
            super().signal(session_id, signal)
        self._tell.signal(session_id, seq, signal)

    def notify(self, participant_id: str, signal: Signal) -> None:
        super().notify(participant_id, signal)
        self._tell.note(participant_id, signal)

    def close_session(self, session_id: str) -> None:
        super().close_session(session_id)
        self._replies.forget(session_id)
        self._tell.closed(session_id)

    def drop_token(self, digest: bytes) -> None:
        super().drop_token(digest)
        self._tell.token(digest)

    def reply_left(self, session_id: str, reply_id: str) -> None:
        # Whoever took it over may have said so while we heard nothing.
        self._replies.ended(session_id, reply_id)
        if session_id not in self._rooms and not self._replies.run_here(session_id):
            self._live.forget(session_id)

    async def online(self, session_id: str) -> frozenset[str]:
        if session_id not in self._rooms:
            try:
                async with self.hosting(session_id):
                    return self._people.online(session_id)
            except ChatError:
                pass
        return self._people.online(session_id)

    async def all_online(self, session_id: str) -> frozenset[str] | None:
        if self.bus.is_deaf:
            return None
        try:
            async with self.hosting(session_id):
                asked = self._tell.ask(session_id)
                if not await self._gatherings.wait(session_id, asked):
                    return None
                return self._people.online(session_id)
        except ChatError:
            return None

    # --- which channels are listened to ----------------------------------------------------------

    async def attend(self, participant_id: str) -> None:
        await self._attending.attend(participant_id, SUBSCRIBE_SECONDS)

    def depart(self, participant_id: str) -> None:
        self._attending.depart(participant_id)

    async def _listen(self, room: Room) -> None:
        """Not for long, whatever Redis does: what is missed meanwhile is read later."""
        confirmed = self._follow(room.session_id)
        if self.bus.is_deaf:
            return
        await asyncio.wait([confirmed], timeout=SUBSCRIBE_SECONDS)
        if confirmed.done():
            await self._gatherings.wait(room.session_id, self._tell.ask(room.session_id))
        else:
            confirmed.add_done_callback(lambda _: self._sweep.heal())

    async def _open(self, room: Room) -> None:
        await super()._open(room)
        if room.opened.exception() is None:
            self._held.release(room)

    def host_new(self, session_id: str, cursor: int) -> Room:
        is_new = session_id not in self._rooms
        room = super().host_new(session_id, cursor)
        if is_new:
            # Who joins elsewhere before this is heard of may have said something by then.
            confirmed = self._follow(session_id)
            if not confirmed.done():
                confirmed.add_done_callback(lambda _: self._sweep.look_at(room))
        return room

    def _unhosted(self, room: Room) -> None:
        session_id = room.session_id
        self._held.forget(session_id)
        self._people.forget(session_id)
        self._gatherings.forget(session_id)
        if not self._replies.run_here(session_id):
            self._live.forget(session_id)
            self._follow_no_more(session_id)

    def _follow(self, session_id: str) -> "asyncio.Future[None]":
        return self.bus.subscribe(session_channel(session_id), partial(self._hear, session_id))

    def _follow_no_more(self, session_id: str) -> None:
        if session_id not in self._rooms and not self._replies.run_here(session_id):
            self.bus.unsubscribe(session_channel(session_id))

    # --- what others tell ------------------------------------------------------------------------

    def _hear(self, session_id: str, raw: bytes) -> None:
        frame = unpack(raw)
        room = self._rooms.get(session_id)
        match frame.kind:
            case Kind.EVENT:
                if room is not None and frame.number > room.cursor:
                    self._hear_event(room, frame)
            case Kind.SIGNAL:
                self._hear_signal(session_id, room, frame)
            case Kind.ASK:
                people, replies = self._people.own(session_id), self._replies.texts(session_id)
                self._tell.answer(session_id, frame.origin, people, replies)
            case Kind.HERE:
                if room is not None:
                    self._hear_people(room, frame)
            case Kind.ANSWER:
                if frame.number == as_number(self._origin) and room is not None:
                    self._hear_answer(room, frame)
            case Kind.CLOSED:
                super().close_session(session_id)

    def _hear_event(self, room: Room, frame: Frame) -> None:
        session_id, seq = room.session_id, frame.number
        if frame.body and frame.type < len(TYPES):
            try:
                self.heard(PackedEvent(session_id, seq, TYPES[frame.type], frame.body))
            except UNREADABLE:
                log.warning("bus_event_unreadable", session=session_id, seq=seq)
            else:
                return
        room.lost = max(room.lost, seq)
        self.behind(room, seq)

    def behind(self, room: Room, seq: int) -> None:
        """The log has so many events; those not delivered are read."""
        room.known = max(room.known, seq)
        self._catch_up(room)

    def _hear_signal(self, session_id: str, room: Room | None, frame: Frame) -> None:
        if room is None:
            self._replies.overheard(session_id, frame.body)
            return
        show = partial(self._show, room, frame.body)
        turn = turn_of(room, frame.number)
        if self._held.must_wait(room, turn):
            self._hold(room, turn, show)
        else:
            show()

    def _hold(self, room: Room, seq: int, show: "partial[None]") -> None:
        self._held.add(room, seq, show)
        if room.opened.done():
            self.behind(room, seq)

    def _show(self, room: Room, body: bytes) -> None:
        name, payload = orjson.loads(body[len(f"2{NAMESPACE},") :])
        session_id = room.session_id
        if name in NAMES:
            if not self._replies.heard(name, payload):
                return
        elif name == TypingChanged.name:
            self._typing.changed(TypingChanged.model_validate(payload))
            return
        elif name == ReadChanged.name:
            room.read_marks[payload["participant_id"]] = payload["seq"]
        packet = Outgoing.message(body.decode())
        reached = self._manager.fan_out(NAMESPACE, session_room(session_id), packet)
        self._metrics.count_out(name).inc()
        self._metrics.deliveries.inc(reached)

    def _hear_people(self, room: Room, frame: Frame) -> None:
        said = orjson.loads(frame.body)
        self.peers.met(frame.origin, self._now())
        people = [Participant.model_validate(each) for each in said["came"]]
        if frame.type == EVERYBODY:
            self._people.are(room.session_id, frame.origin, people)
        else:
            self._people.came(room.session_id, frame.origin, people)
            for who in self._people.left(room.session_id, frame.origin, said["left"]):
                self._typing.stop(room.session_id, who)

    def _hear_answer(self, room: Room, frame: Frame) -> None:
        said = orjson.loads(frame.body)
        self.peers.met(frame.origin, self._now())
        people = [Participant.model_validate(each) for each in said["people"]]
        self._people.are(room.session_id, frame.origin, people)
        texts = said["replies"]
        if texts:
            seq = turn_of(room, max(each["started"]["prompt_seq"] for each in texts))
            absorb = partial(self._replies.absorb, room.session_id, texts)
            if self._held.must_wait(room, seq):
                self._hold(room, seq, absorb)
            else:
                absorb()
        self._gatherings.answered(room.session_id)

    def _ask_again(self, session_id: str) -> None:
        if self._gatherings.may_ask(session_id):
            self._tell.ask(session_id)

    def _hear_instance(self, raw: bytes) -> None:
        frame = unpack(raw)
        match frame.kind:
            case Kind.BEAT:
                self.peers.heard(frame.origin, self._now())
            case Kind.BYE:
                self.peers.left(frame.origin)
            case Kind.TOKEN:
                self.token_dropped(frame.body)
            case Kind.LOOK:
                self._sweep.heal()

    # --- delivery --------------------------------------------------------------------------------

    def _deliver(self, room: Room, event: Heard) -> None:
        ended = ""
        if event.type is EventType.MESSAGE_CREATED and room.session_id in self._live:
            # Whoever runs a reply says so as well, but that may get lost.
            ended = event.data.get("reply_id", "")
        super()._deliver(room, event)
        if ended:
            self._live.ended(room.session_id, ended)
        self._held.release(room)

    def _may_come(self, room: Room) -> bool:
        return not self.bus.is_deaf and super()._may_come(room)

    def _broadcast(self, room: str, event: Heard) -> int:
        if isinstance(event, PackedEvent):
            return self._manager.fan_out(NAMESPACE, room, event.packet)
        return super()._broadcast(room, event)

    def _emit(self, session_id: str, signal: Signal) -> None:
        room = self._rooms.get(session_id)
        turn = turn_of(room, 0) if room is not None else 0
        if room is not None and turn > room.cursor:
            self._hold(room, turn, partial(super()._emit, session_id, signal))
        else:
            super()._emit(session_id, signal)

    # --- what keeps instances together -----------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            self._tell.beat()
            if not self.bus.is_deaf:
                self.peers.expire(self._now())
            await asyncio.sleep(BEAT_SECONDS)

    def _repay(self) -> None:
        """Redis takes frames again."""
        seqs, tokens, everything = self._owed.take()
        for session_id, seq in seqs.items():
            if seq:
                self._tell.seq(session_id, seq)
        for digest in tokens:
            self._tell.token(digest)
        if everything:
            self._tell.look()
        self._reconcile()

    def _reconcile(self) -> None:
        """Asks and tells, whichever of hearing and sending came back: of two instances that lost

        Redis, the one that is complete last is then heard by a complete one.
        """
        self._sweep.heal()
        self._sweep.announce()

    # --- `sweep.Swept` ---------------------------------------------------------------------------

    def hosted(self) -> list[Room]:
        return list(self._rooms.values())

    def vanished(self, room: Room) -> None:
        gone = SessionDeleted(session_id=room.session_id)
        self._send(session_room(room.session_id), gone)
        super().close_session(room.session_id)

    async def ask_all(self) -> None:
        await self._paced([partial(self._tell.ask, each) for each in list(self._rooms)])

    async def announce_all(self) -> None:
        """Of each room, who is here."""
        await self._paced([partial(self._announce_room, each) for each in list(self._rooms)])

    def replies_elsewhere(self) -> list[tuple[str, str]]:
        return self._replies.of_others()

    def settled(self, reply: Reply) -> None:
        session_id, reply_id, seq = reply.session_id, reply.reply_id, reply.result_seq
        if reply.state is ReplyState.DONE and seq is not None:
            over: Signal = ReplyFinished(session_id=session_id, reply_id=reply_id, seq=seq)
        elif reply.state.terminal:
            over = ReplyStopped(session_id=session_id, reply_id=reply_id, seq=seq)
        else:
            return
        room = self._rooms.get(session_id)
        tell = partial(super().signal, session_id, over)
        if room is not None and self._held.must_wait(room, seq or 0):
            self._hold(room, seq or 0, tell)
        else:
            tell()

    def doubt_tokens(self) -> None:
        self.tokens_doubtful()

    def _announce_room(self, session_id: str) -> "asyncio.Future[int]":
        return self._tell.everybody(session_id, self._people.own(session_id))

    async def _paced(self, sends: "list[partial[asyncio.Future[int]]]") -> None:
        """Some at a time, so that live traffic finds its way between."""
        for start in range(0, len(sends), PACE):
            await asyncio.wait([send() for send in sends[start : start + PACE]])

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _seq_before(signal: Signal) -> int:
    """The durable event that comes before it."""
    match signal:
        case ReplyStarted():
            return signal.prompt_seq
        case ReplyFinished() | ReplyStopped():
            return signal.seq or 0
    return 0
