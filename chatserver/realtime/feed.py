"""The ordered feed: every connected member receives each durable event once, in seq order (G3).

The instance keeps a cursor per hosted room: the last seq delivered. What it hears is only a hint;
a hole is filled from the store, so a lost or late hint costs a read and never an event.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from chatserver.chat.commands import Joined
from chatserver.chat.errors import NotFound, NotMember, Unavailable
from chatserver.chat.events import ReadChanged, ReplySignal, Signal, TypingChanged
from chatserver.chat.models import Event, EventType, Member, Participant
from chatserver.chat.ports import Commit, Store
from chatserver.chat.sessions import with_presence
from chatserver.chat.snapshots import brought_up
from chatserver.observability.metrics import Metrics
from chatserver.realtime.live import LiveReplies
from chatserver.realtime.manager import NAMESPACE, RoomManager
from chatserver.realtime.packed import UNREADABLE, Heard, event_of
from chatserver.realtime.presence import Presence, Typing
from chatserver.realtime.room import Room, participant_room, session_room

log = structlog.get_logger(__name__)

AHEAD_EVENTS = 1_000
"""Events kept that came before their turn; those beyond are read from the store."""
CATCH_UP_PAGE = 200
LATE_SECONDS = 0.05
"""How long an event may come after what follows it before it counts as lost. Those who write to one
session are heard in either order: two instances, or an instance and the worker that answers."""
LET_READ_SECONDS = 0.1
LET_READ_LOOKS = 20
READS_AT_ONCE = 8
"""Rooms that read what they missed; others wait."""


class RoomFeed:
    """`chat.ports.Feed`, and the listener of the store's commits. Knows of this instance alone."""

    def __init__(self, manager: RoomManager, store: Store, metrics: Metrics) -> None:
        self._manager = manager
        self._store = store
        self._metrics = metrics
        self._rooms: dict[str, Room] = {}
        self.token_dropped: Callable[[bytes], None] = lambda digest: None
        """Called with each token that became worthless while in use."""
        self.tokens_doubtful: Callable[[], None] = lambda: None
        """Called where tokens may have become worthless unheard."""
        self._reading = asyncio.Semaphore(READS_AT_ONCE)
        self._entered: dict[str, set[str]] = {}
        self._live = LiveReplies()
        self._presence = Presence(self._emit)
        self._typing = Typing(self._emit)

    # --- what happened -------------------------------------------------------------------------

    def committed(self, commit: Commit) -> None:
        """A `chat.ports.CommitListener`."""
        for event in commit.events:
            self.heard(event)

    def heard(self, event: Heard) -> None:
        """Some event of some session was committed, here or elsewhere; maybe heard of before."""
        room = self._rooms.get(event.session_id)
        if event.type is EventType.REPLY_FAILED:
            self._live.ended(event.session_id, event.data["reply_id"])
        if room is None:
            return
        room.known = max(room.known, event.seq)
        if room.opened.done() and event.seq == room.cursor + 1:
            self._deliver(room, event)
            self._deliver_ahead(room)
        elif event.seq > room.cursor and len(room.ahead) < AHEAD_EVENTS:
            room.ahead[event.seq] = event
        self._catch_up(room)

    def signal(self, session_id: str, signal: Signal) -> None:
        if isinstance(signal, TypingChanged):
            self._typing.changed(signal)
            return
        if isinstance(signal, ReplySignal):
            self._live.heard(signal)
        elif isinstance(signal, ReadChanged) and session_id in self._rooms:
            self._rooms[session_id].read_marks[signal.participant_id] = signal.seq
        self._emit(session_id, signal)

    def notify(self, participant_id: str, signal: Signal) -> None:
        self._send(participant_room(participant_id), signal)

    def close_session(self, session_id: str) -> None:
        self._live.forget(session_id)
        room = self._rooms.pop(session_id, None)
        if room is None:
            return
        room.closed = True
        if room.catching_up is not None:
            room.catching_up.cancel()
        for sid, who in room.sids.items():
            self._left(room, sid, who)
        self._metrics.rooms.set(len(self._rooms))
        self._unhosted(room)

    def drop_token(self, digest: bytes) -> None:
        self.token_dropped(digest)

    def reply_left(self, session_id: str, reply_id: str) -> None:
        """What people see of it ends with the log, or goes on elsewhere."""

    async def online(self, session_id: str) -> frozenset[str]:
        return self._presence.online(session_id)

    async def all_online(self, session_id: str) -> frozenset[str] | None:
        return self._presence.online(session_id)

    # --- who listens ---------------------------------------------------------------------------

    async def attend(self, participant_id: str) -> None:
        """A connection of the participant is about to enter their room; `depart` when it has gone.

        Raises nothing.
        """

    def depart(self, participant_id: str) -> None: ...

    @asynccontextmanager
    async def hosting(self, session_id: str) -> AsyncIterator[Room]:
        """The room, with its cursor known, for as long as it takes to enter it.

        Raises `Unavailable` where the store did not say where the log stands.
        """
        room = self._rooms.get(session_id)
        if room is None:
            room = self._add(Room(session_id, asyncio.get_running_loop().create_future()))
            room.opening = asyncio.create_task(self._open(room))
        room.pins += 1
        try:
            await asyncio.shield(room.opened)
            yield room
        finally:
            room.pins -= 1
            self._close_if_empty(room)

    async def _open(self, room: Room) -> None:
        session_id = room.session_id
        try:
            await self._listen(room)
            seqs = await self._store.read(lambda tx: tx.sessions.last_seqs([session_id]))
        except Exception as failure:
            if not isinstance(failure, Unavailable):
                log.exception("room_opening_crashed", session=session_id)
            room.opened.set_exception(failure)
            room.opened.exception()  # seen, even where everyone who waited has gone
            return
        room.cursor = seqs.get(session_id, 0)
        room.opened.set_result(None)
        self._deliver_ahead(room)
        self._catch_up(room)

    async def _listen(self, room: Room) -> None:
        """Sees to it that from now on all commits to the room are heard of."""

    def _unhosted(self, room: Room) -> None:
        """The room is no longer here."""

    def _add(self, room: Room) -> Room:
        self._rooms[room.session_id] = room
        self._metrics.rooms.set(len(self._rooms))
        return room

    def host_new(self, session_id: str, cursor: int) -> Room:
        """The room of a session that was just created: nobody else can know it yet."""
        room = self._rooms.get(session_id)
        if room is None:
            room = self._add(Room(session_id, asyncio.get_running_loop().create_future(), cursor))
            room.opened.set_result(None)
        return room

    def enter(self, room: Room, sid: str, who: Participant) -> None:
        """Live events reach `sid` from `room.cursor + 1` on."""
        if sid in room.sids:
            return
        self._presence.enter(room.session_id, who)
        room.sids[sid] = who
        self._entered.setdefault(sid, set()).add(room.session_id)
        self._manager.basic_enter_room(sid, NAMESPACE, session_room(room.session_id))

    def enter_with(self, room: Room, sid: str, who: Participant, snapshot: Joined) -> Joined | None:
        """Enters, and returns the snapshot as of exactly the room's cursor, in one step.

        What the snapshot holds and what is then received live meet without a hole and without a
        double; its session and members are as of `to_seq`. None: the snapshot does not allow that,
        take another.
        Raises `NotFound` or `NotMember` where meanwhile the session was deleted or `who` left it.
        """
        if room.closed:
            raise NotFound("no such session")
        # What the snapshot shows is committed: should it be ahead of what we heard, we hear it now.
        for event in snapshot.events:
            if event.seq > room.cursor:
                self.heard(event)
        try:
            missed = [event_of(each) for each in room.recent if each.seq > snapshot.to_seq]
        except UNREADABLE:
            return None  # another release told it; the next snapshot has it from the store
        if any(_is_leaving(event, who) for event in missed):
            raise NotMember("you have left this session")
        if room.cursor != snapshot.to_seq + len(missed):
            return None  # a hole is being read, or too much happened since
        self.enter(room, sid, who)
        snapshot = brought_up(snapshot, missed)
        online = self._presence.online(room.session_id)
        return snapshot.model_copy(
            update={
                "replies": self._live.of(room.session_id),
                "members": [
                    with_presence(_with_read_mark(member, room), online)
                    for member in snapshot.members
                ],
            }
        )

    def exit(self, session_id: str, sid: str) -> None:
        """The connection leaves the room (or is gone)."""
        room = self._rooms.get(session_id)
        who = room.sids.pop(sid, None) if room is not None else None
        if room is None or who is None:
            return
        self._left(room, sid, who)
        if who.id not in self._presence.online(session_id):
            self._typing.stop(session_id, who)
        self._close_if_empty(room)

    def exit_all(self, sid: str) -> None:
        """The connection is gone."""
        for session_id in list(self._entered.get(sid, ())):
            self.exit(session_id, sid)

    def rooms_entered(self, sid: str) -> int:
        return len(self._entered.get(sid, ()))

    def is_in(self, sid: str, session_id: str) -> bool:
        return session_id in self._entered.get(sid, ())

    # --- delivery ------------------------------------------------------------------------------

    def _deliver(self, room: Room, event: Heard) -> None:
        """Raises `UNREADABLE`, and has then done nothing."""
        typist = leaver = None
        if event.type is EventType.MESSAGE_CREATED and room.session_id in self._typing:
            typist = event.sender
        elif event.type is EventType.PARTICIPANT_LEFT:
            leaver = event.data["participant"]["id"]
        room.cursor = event.seq
        room.recent.append(event)
        if typist is not None:
            self._typing.stop(room.session_id, typist)
        reached = self._broadcast(session_room(room.session_id), event)
        self._metrics.count_out(event.type).inc()
        self._metrics.deliveries.inc(reached)
        if leaver is not None:
            self._expel(room, leaver)

    def _broadcast(self, room: str, event: Heard) -> int:
        return self._manager.broadcast(room, event.type, event_of(event))

    def _deliver_ahead(self, room: Room) -> None:
        for seq in [seq for seq in room.ahead if seq <= room.cursor]:
            del room.ahead[seq]
        with suppress(*UNREADABLE):  # such an event is read from the store
            while (event := room.ahead.pop(room.cursor + 1, None)) is not None:
                self._deliver(room, event)

    def _catch_up(self, room: Room) -> None:
        if room.cursor < room.known and room.opened.done() and room.catching_up is None:
            room.catching_up = asyncio.create_task(self._read_missing(room))

    async def _read_missing(self, room: Room) -> None:
        pause, is_fresh = 0.1, True
        try:
            while room.cursor < room.known and not room.closed:
                if is_fresh and self._may_come(room):
                    cursor = room.cursor
                    await asyncio.sleep(LATE_SECONDS)
                    if room.cursor > cursor:
                        continue  # it came; what is awaited now is another one
                missing = await self._read_after(room)
                for event in missing:
                    if event.seq == room.cursor + 1 and not room.closed:
                        self._deliver(room, event)
                        self._metrics.gaps_healed.inc()
                        await self._let_read(room)
                self._deliver_ahead(room)
                is_fresh = len(missing) < CATCH_UP_PAGE
                if not missing:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
        finally:
            room.catching_up = None

    def _may_come(self, room: Room) -> bool:
        """Whether what is missing may still be on its way here."""
        return room.cursor >= room.lost

    async def _let_read(self, room: Room) -> None:
        """A log is read faster than people on slow lines take it; they are not to be cut off.

        Who does not read at all holds up the others for this long only, until cut off after all.
        """
        for _ in range(LET_READ_LOOKS):
            if not self._manager.is_crowded(session_room(room.session_id)):
                return
            await asyncio.sleep(LET_READ_SECONDS / LET_READ_LOOKS)

    async def _read_after(self, room: Room) -> list[Event]:
        try:
            async with self._reading:
                return await self._store.read(
                    lambda tx: tx.log.after(room.session_id, room.cursor, CATCH_UP_PAGE)
                )
        except Unavailable:
            log.warning("catch_up_unavailable", session=room.session_id)
        except Exception:
            # Whatever it is, those in the room still wait for what is missing.
            log.exception("catch_up_crashed", session=room.session_id)
        return []

    def _expel(self, room: Room, participant_id: str) -> None:
        for sid in [sid for sid, who in room.sids.items() if who.id == participant_id]:
            self.exit(room.session_id, sid)

    def _left(self, room: Room, sid: str, who: Participant) -> None:
        entered = self._entered[sid]
        entered.discard(room.session_id)
        if not entered:
            del self._entered[sid]
        self._manager.basic_leave_room(sid, NAMESPACE, session_room(room.session_id))
        self._presence.exit(room.session_id, who)

    def _close_if_empty(self, room: Room) -> None:
        if room.sids or room.pins or room.closed:
            return
        room.closed = True
        if room.catching_up is not None:
            room.catching_up.cancel()
        del self._rooms[room.session_id]
        self._metrics.rooms.set(len(self._rooms))
        self._unhosted(room)

    def _emit(self, session_id: str, signal: Signal) -> None:
        self._send(session_room(session_id), signal)

    def _send(self, room: str, signal: Signal) -> None:
        reached = self._manager.broadcast(room, signal.name, signal)
        self._metrics.count_out(signal.name).inc()
        self._metrics.deliveries.inc(reached)


def _is_leaving(event: Event, who: Participant) -> bool:
    left = event.type is EventType.PARTICIPANT_LEFT
    return left and bool(event.data["participant"]["id"] == who.id)


def _with_read_mark(member: Member, room: Room) -> Member:
    told = room.read_marks.get(member.participant.id, 0)
    return member if told <= member.read_seq else member.model_copy(update={"read_seq": told})
