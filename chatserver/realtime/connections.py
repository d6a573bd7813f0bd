"""Those who are authenticated here, whichever way they came: their tokens, rates, and their end."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import structlog

from chatserver.chat.commands import Command
from chatserver.chat.errors import (
    ChatError,
    Draining,
    RateLimited,
    TokenRevoked,
    TooManyInFlight,
    Unavailable,
)
from chatserver.chat.events import ServerDraining
from chatserver.chat.models import Identity, Model
from chatserver.chat.ports import Clock
from chatserver.chat.rates import TokenBucket
from chatserver.chat.service import ChatService
from chatserver.chat.tokens import token_digest
from chatserver.observability.metrics import Metrics
from chatserver.realtime.arrivals import Arrival, Arrivals
from chatserver.realtime.connection import Connection
from chatserver.realtime.engine.background import Background
from chatserver.realtime.entrance import Entrance
from chatserver.realtime.feed import RoomFeed
from chatserver.realtime.limits import ConnectionLimits
from chatserver.realtime.manager import NAMESPACE, RoomManager
from chatserver.realtime.returning import return_delays
from chatserver.realtime.room import participant_room

log = structlog.get_logger(__name__)

SLOW = frozenset({"summarize_session"})
"""Commands that may take seconds and change nothing: they hold up no other of the connection."""


class Connections:
    """Every one of them is a member of the manager's namespace under its sid."""

    def __init__(
        self,
        *,
        service: ChatService,
        feed: RoomFeed,
        manager: RoomManager,
        metrics: Metrics,
        clock: Clock,
        limits: ConnectionLimits,
    ) -> None:
        self._service = service
        self._feed = feed
        self._manager = manager
        self._metrics = metrics
        self._clock = clock
        self._limits = limits
        self._entrance = Entrance(service, feed, limits.rooms)
        self._by_sid: dict[str, Connection] = {}
        self._by_digest: defaultdict[bytes, set[Connection]] = defaultdict(set)
        self._arrivals = Arrivals()
        self._background = Background()
        self._doubtful = self._rechecking = False
        self._idle = asyncio.Event()
        self._under_way = 0
        self.leaving = False
        self.draining = False
        feed.token_dropped = self._drop_token
        feed.tokens_doubtful = self._doubt_tokens

    def get(self, sid: str) -> Connection | None:
        return self._by_sid.get(sid)

    # --- coming and going ------------------------------------------------------------------------

    async def add(self, sid: str, token: object, drop: Callable[[ChatError], None]) -> Connection:
        """Authenticates the member `sid`, which then hears what is told to the participant.

        `drop` is called once the token is worthless. Raises what `ChatService.authenticate`
        raises, and `Draining`.
        """
        await self.require_accepting()
        digest = token_digest(token) if isinstance(token, str) else b""
        with self._arrivals.arriving(digest) as arrival:
            identity = await self._service.authenticate(token)
            await self._attend(identity, arrival)
            bucket = TokenBucket(
                self._limits.events_per_second, self._limits.events_burst, self._clock
            )
            connection = Connection(sid, identity, bucket, drop)
            self._enter(connection)
            if arrival.is_doubtful:
                self._background.start(self._renew_or_drop(connection))
        return connection

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

    def _enter(self, connection: Connection) -> None:
        self._by_sid[connection.sid] = connection
        self._by_digest[connection.identity.digest].add(connection)
        room = participant_room(connection.participant.id)
        self._manager.basic_enter_room(connection.sid, NAMESPACE, room)
        self._watch_expiry(connection)
        self._metrics.connections.inc()

    def remove(self, sid: str) -> None:
        """It is gone, or never was."""
        connection = self._by_sid.pop(sid, None)
        if connection is None:
            return
        connection.is_gone = True
        if connection.expiry is not None:
            connection.expiry.cancel()
        digest = connection.identity.digest
        self._by_digest[digest].discard(connection)
        if not self._by_digest[digest]:
            del self._by_digest[digest]
        self._feed.exit_all(sid)
        self._feed.depart(connection.participant.id)
        self._metrics.connections.dec()

    # --- tokens ----------------------------------------------------------------------------------

    def _drop_token(self, digest: bytes) -> None:
        self._arrivals.drop(digest)
        for connection in list(self._by_digest.get(digest, ())):
            connection.drop(TokenRevoked("the token was revoked"))

    def _watch_expiry(self, connection: Connection) -> None:
        if connection.expiry is not None:
            connection.expiry.cancel()
        if connection.is_gone:
            return
        left = (connection.identity.expires_at - self._clock.now()).total_seconds()
        connection.expiry = asyncio.get_running_loop().call_later(
            max(left, 0), self._expired, connection
        )

    def _expired(self, connection: Connection) -> None:
        self._background.start(self._renew_or_drop(connection))

    async def _renew_or_drop(self, connection: Connection) -> None:
        try:
            # It may have been renewed over REST while the connection stayed.
            connection.identity = await self._service.identify(connection.identity.digest)
        except Unavailable:
            if connection.expiry is not None:
                connection.expiry.cancel()
            connection.expiry = asyncio.get_running_loop().call_later(1, self._expired, connection)
        except ChatError as worthless:
            connection.drop(worthless)
        else:
            self._watch_expiry(connection)

    def _doubt_tokens(self) -> None:
        self._arrivals.doubt()
        self._doubtful = True
        if not self._rechecking:
            self._rechecking = True
            self._background.start(self._recheck_tokens())

    async def _recheck_tokens(self) -> None:
        try:
            while self._doubtful:  # it may be so again by the time all were looked at
                self._doubtful = False
                for connection in list(self._by_sid.values()):
                    if not connection.is_gone:
                        await self._renew_or_drop(connection)
        finally:
            self._rechecking = False

    # --- commands --------------------------------------------------------------------------------

    def began(self) -> None:
        """A command is under way, from its reading to its answer; `ended` when it is over."""
        self._under_way += 1

    def ended(self, name: str, code: str) -> None:
        """`code` of the error, or "ok"."""
        self._metrics.count_in(name, code).inc()
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    def take(self, connection: Connection) -> None:
        """Counts one command against the connection's rate. Raises `RateLimited`."""
        wait = connection.bucket.take()
        if wait:
            raise RateLimited(
                "too many events; slow down", retry_after_ms=max(1, round(wait * 1000))
            )

    async def perform(self, connection: Connection, command: Command) -> Model:
        """The command's ack. Raises what its use case raises, and what `Entrance` raises."""
        if command.name not in SLOW:
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
        return await self._entrance.perform(connection, command)

    # --- draining --------------------------------------------------------------------------------

    def leave(self) -> None:
        """Lets load balancers see that this server will stop; all else goes on."""
        self.leaving = True

    async def require_staying(self) -> None:
        """Raises `Draining` once no more traffic should come here."""
        if self.leaving:
            raise Draining("this server will stop")

    async def require_accepting(self) -> None:
        """Raises `Draining` once this server is about to stop."""
        if self.draining:
            raise Draining("this server is about to stop; connect again")

    def announce(self, reconnect_after_ms: int, reconnects_per_second: float) -> None:
        """Refuses new commands, and tells every client that this server is about to stop.

        Each is told another delay: together they come back at `reconnects_per_second`.
        """
        self.leaving = self.draining = True
        sids = list(self._by_sid)
        delays = return_delays(len(sids), reconnect_after_ms, reconnects_per_second)
        for sid, delay in zip(sids, delays, strict=True):
            draining = ServerDraining(reconnect_after_ms=delay)
            self._manager.send(sid, ServerDraining.name, draining)

    async def finish(self, seconds: float) -> None:
        """Waits, at most so long, until every command under way has its answer."""
        self._idle.clear()
        if self._under_way:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("events_abandoned", count=self._under_way)
