"""The `/chat` namespace: one boundary that validates, calls the service and maps every error."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import structlog

from chatserver.chat.commands import COMMANDS, Command, CreateSession, JoinSession, parse
from chatserver.chat.errors import (
    ChatError,
    Draining,
    Internal,
    InvalidPayload,
    PayloadTooDeep,
    RateLimited,
    TokenRevoked,
    TooManyConnections,
    TooManyInFlight,
    TooManySessions,
    Unavailable,
    UnknownEvent,
)
from chatserver.chat.events import ServerDraining, Welcome
from chatserver.chat.models import Identity, Model
from chatserver.chat.ports import Clock
from chatserver.chat.rates import TokenBucket
from chatserver.chat.service import ChatService
from chatserver.chat.tokens import token_digest
from chatserver.observability.metrics import Metrics
from chatserver.realtime.arrivals import Arrival, Arrivals
from chatserver.realtime.codec import TOO_DEEP
from chatserver.realtime.connection import Connection
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.manager import NAMESPACE
from chatserver.realtime.returning import return_delays
from chatserver.realtime.room import participant_room
from chatserver.realtime.server import ChatSocketServer

log = structlog.get_logger(__name__)

SNAPSHOT_TRIES = 5
SLOW = frozenset({"summarize_session"})
"""Events that may take seconds and change nothing: they hold up no other event of the client."""

Ack = dict[str, Any]


class ChatNamespace(socketio.AsyncNamespace):  # type: ignore[misc]  # python-socketio is untyped
    """Connections come and go here; every client event passes through `_dispatch`."""

    def __init__(
        self,
        *,
        server: ChatSocketServer,
        service: ChatService,
        feed: RoomFeed,
        metrics: Metrics,
        clock: Clock,
        limits: ConnectionLimits,
        server_info: dict[str, str],
        shown_limits: dict[str, int],
    ) -> None:
        super().__init__(NAMESPACE)
        self._sio = server
        self._service = service
        self._feed = feed
        self._metrics = metrics
        self._clock = clock
        self._limits = limits
        self._server_info = server_info
        self._shown_limits = shown_limits
        self._connections: dict[str, Connection] = {}
        self._by_digest: defaultdict[bytes, set[str]] = defaultdict(set)
        self._arrivals = Arrivals()
        self._doubtful = self._rechecking = False
        self._idle = asyncio.Event()
        self._in_flight = 0
        self.leaving = False
        self.draining = False
        self._handlers: dict[str, Callable[[Connection, Any], Awaitable[Model]]] = {
            CreateSession.name: self._create_session,
            JoinSession.name: self._join_session,
        }
        server.connected = self._welcome
        server.slow_events = SLOW
        feed.token_dropped = self._drop_token
        feed.tokens_doubtful = self._doubt_tokens
        server.register_namespace(self)

    # --- connections ---------------------------------------------------------------------------

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Called by python-socketio for everything that happens in the namespace."""
        sid = args[0]
        if event == "connect":
            return await self._connect(sid, args[1], args[2] if len(args) > 2 else None)
        if event == "disconnect":
            return self._disconnect(sid)
        return await self._dispatch(event, sid, args[1:])

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        engine_id = self._sio.manager.eio_sid_from_sid(sid, NAMESPACE)
        try:
            await self.require_accepting()
            if self._sio.too_many(engine_id):
                raise TooManyConnections("there are too many connections already")
            token = auth.get("token") if isinstance(auth, dict) else None
            digest = token_digest(token) if isinstance(token, str) else b""
            with self._arrivals.arriving(digest) as arrival:
                identity = await self._service.authenticate(token)
                await self._attend(identity, arrival)
                self._enter(sid, engine_id, identity, arrival)
        except ChatError as refusal:
            self._metrics.refused.labels(refusal.code).inc()
            raise socketio.exceptions.ConnectionRefusedError(
                refusal.message, refusal.wire()
            ) from None

    async def _attend(self, identity: Identity, arrival: Arrival) -> None:
        """Raises a `ChatError` where meanwhile the token or the server came to its end."""
        await self._feed.attend(identity.participant.id)
        try:
            await self.require_accepting()
            if arrival.is_worthless:
                raise TokenRevoked("the token was revoked")
        except ChatError:
            self._feed.depart(identity.participant.id)
            raise

    def _enter(self, sid: str, engine_id: str, identity: Identity, arrival: Arrival) -> None:
        bucket = TokenBucket(self._limits.events_per_second, self._limits.events_burst, self._clock)
        connection = Connection(sid, engine_id, identity, bucket)
        self._connections[sid] = connection
        self._by_digest[identity.digest].add(sid)
        self._sio.manager.basic_enter_room(
            sid, NAMESPACE, participant_room(identity.participant.id), engine_id
        )
        self._watch_expiry(connection)
        self._metrics.connections.inc()
        if arrival.is_doubtful:
            self._sio.start_background_task(self._renew_or_drop, connection)

    def _welcome(self, sid: str) -> None:
        connection = self._connections.get(sid)
        if connection is None:
            return
        welcome = Welcome(
            participant=connection.participant,
            limits=self._shown_limits,
            bots=self._service.bots.all(),
            server=self._server_info,
        )
        self._sio.rooms_manager.send(sid, Welcome.name, welcome)

    def _disconnect(self, sid: str) -> None:
        connection = self._connections.pop(sid, None)
        if connection is None:
            return
        if connection.expiry is not None:
            connection.expiry.cancel()
        digest = connection.identity.digest
        self._by_digest[digest].discard(sid)
        if not self._by_digest[digest]:
            del self._by_digest[digest]
        self._feed.exit_all(sid)
        self._feed.depart(connection.participant.id)
        self._metrics.connections.dec()

    # --- tokens --------------------------------------------------------------------------------

    def _drop_token(self, digest: bytes) -> None:
        self._arrivals.drop(digest)
        for sid in list(self._by_digest.get(digest, ())):
            self._drop(sid)

    def _watch_expiry(self, connection: Connection) -> None:
        if connection.expiry is not None:
            connection.expiry.cancel()
        if connection.sid not in self._connections:
            return
        left = (connection.identity.expires_at - self._clock.now()).total_seconds()
        connection.expiry = asyncio.get_running_loop().call_later(
            max(left, 0), self._expired, connection
        )

    def _expired(self, connection: Connection) -> None:
        self._sio.start_background_task(self._renew_or_drop, connection)

    async def _renew_or_drop(self, connection: Connection) -> None:
        try:
            # It may have been renewed over REST while the connection stayed.
            connection.identity = await self._service.identify(connection.identity.digest)
        except Unavailable:
            if connection.expiry is not None:
                connection.expiry.cancel()
            connection.expiry = asyncio.get_running_loop().call_later(1, self._expired, connection)
        except ChatError:
            self._drop(connection.sid)
        else:
            self._watch_expiry(connection)

    def _doubt_tokens(self) -> None:
        self._arrivals.doubt()
        self._doubtful = True
        if not self._rechecking:
            self._rechecking = True
            self._sio.start_background_task(self._recheck_tokens)

    async def _recheck_tokens(self) -> None:
        try:
            while self._doubtful:  # it may be so again by the time all were looked at
                self._doubtful = False
                for connection in list(self._connections.values()):
                    if connection.sid in self._connections:
                        await self._renew_or_drop(connection)
        finally:
            self._rechecking = False

    def _drop(self, sid: str) -> None:
        self._sio.start_background_task(self._sio.disconnect, sid, NAMESPACE)

    # --- events --------------------------------------------------------------------------------

    async def _dispatch(self, event: str, sid: str, args: tuple[Any, ...]) -> Ack:
        connection = self._connections.get(sid)
        code = "ok"
        self._in_flight += 1
        try:
            if connection is None:
                raise Draining("the connection is closing")
            result = await self._perform(connection, event, args)
            return {"ok": True, "data": result}
        except ChatError as refusal:
            code = refusal.code
            return {"ok": False, "error": refusal.wire()}
        except Exception:
            code = Internal.code
            correlation_id = secrets.token_hex(8)
            log.exception("event_crashed", event_name=event, correlation_id=correlation_id)
            defect = Internal("something went wrong here", correlation_id=correlation_id)
            return {"ok": False, "error": defect.wire()}
        finally:
            self._metrics.count_in(event if event in COMMANDS else "unknown", code).inc()
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _perform(self, connection: Connection, event: str, args: tuple[Any, ...]) -> Model:
        wait = connection.bucket.take()
        if wait:
            raise RateLimited(
                "too many events; slow down", retry_after_ms=max(1, round(wait * 1000))
            )
        command_type = COMMANDS.get(event)
        if command_type is None:
            raise UnknownEvent("there is no such event")
        await self.require_accepting()
        if TOO_DEEP in args:
            raise PayloadTooDeep("the payload is nested too deeply")
        if len(args) != 1:
            raise InvalidPayload("an event carries exactly one object")
        command = parse(command_type, args[0])
        if event not in SLOW:
            return await self._call(connection, command)
        if connection.slow_events >= self._limits.slow_events:
            raise TooManyInFlight("too many slow events wait for their answer")
        connection.slow_events += 1
        try:
            return await self._call(connection, command)
        finally:
            connection.slow_events -= 1

    async def _call(self, connection: Connection, command: Command) -> Model:
        if self._clock.now() >= connection.identity.expires_at:
            connection.identity = await self._service.identify(connection.identity.digest)
        handler = self._handlers.get(command.name)
        if handler is not None:
            return await handler(connection, command)
        use_case: Callable[..., Awaitable[Model]] = getattr(self._service, command.name)
        return await use_case(connection.participant, command)

    async def _create_session(self, connection: Connection, command: CreateSession) -> Model:
        self._require_room(connection)
        result = await self._service.create_session(connection.participant, command)
        if connection.sid in self._connections:
            room = self._feed.host_new(result.session.id, result.session.last_seq)
            self._feed.enter(room, connection.sid, connection.participant)
        return result

    async def _join_session(self, connection: Connection, command: JoinSession) -> Model:
        self._require_room(connection)
        who = connection.participant
        async with self._feed.hosting(command.session_id) as room:
            for _ in range(SNAPSHOT_TRIES):
                snapshot = await self._service.join_session(who, command)
                if connection.sid not in self._connections:
                    raise Draining("the connection is closing")
                joined = self._feed.enter_with(room, connection.sid, who, snapshot)
                if joined is not None:
                    return joined
        raise Unavailable("the session is too busy to be joined right now; try again")

    def _require_room(self, connection: Connection) -> None:
        if self._feed.rooms_entered(connection.sid) >= self._limits.rooms:
            raise TooManySessions("this connection is in as many rooms as it may be")

    # --- draining ------------------------------------------------------------------------------

    def leave(self) -> None:
        """Lets load balancers see that this server will stop; all else goes on."""
        self.leaving = True

    async def require_staying(self) -> None:
        """Raises `Draining` once no more traffic should come here."""
        if self.leaving:
            raise Draining("this server will stop")

    def announce(self, reconnect_after_ms: int, reconnects_per_second: float) -> None:
        """Refuses new events, and tells every client that this server is about to stop.

        Each is told another delay: together they come back at `reconnects_per_second`.
        """
        self.leaving = self.draining = True
        self._sio.refuse_new()
        sids = list(self._connections)
        delays = return_delays(len(sids), reconnect_after_ms, reconnects_per_second)
        for sid, delay in zip(sids, delays, strict=True):
            draining = ServerDraining(reconnect_after_ms=delay)
            self._sio.rooms_manager.send(sid, ServerDraining.name, draining)

    async def require_accepting(self) -> None:
        """Raises `Draining` once this server is about to stop."""
        if self.draining:
            raise Draining("this server is about to stop; connect again")

    async def finish_events(self, seconds: float) -> None:
        """Waits, at most so long, until every event under way has its ack."""
        self._idle.clear()
        if self._in_flight:
            try:
                await asyncio.wait_for(self._idle.wait(), seconds)
            except TimeoutError:
                log.warning("events_abandoned", count=self._in_flight)
