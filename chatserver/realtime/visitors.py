"""`chat.ports.Visitors`: connections of the gateways, in the same rooms as those of Socket.IO."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

import orjson
import structlog
from pydantic import ValidationError

from chatserver.chat.commands import Command, parse
from chatserver.chat.errors import ChatError, Draining, Internal, TooManyConnections
from chatserver.chat.events import SIGNALS, Signal
from chatserver.chat.models import Event, Model, Participant
from chatserver.observability.metrics import Metrics
from chatserver.realtime.connection import Connection
from chatserver.realtime.connections import Connections
from chatserver.realtime.engine.census import Census
from chatserver.realtime.inbox import Inbox
from chatserver.realtime.manager import NAMESPACE, RoomManager
from chatserver.realtime.packed import TYPES

log = structlog.get_logger(__name__)


class Visitor:
    """`chat.ports.Visitor`."""

    def __init__(self, connections: Connections, connection: Connection, inbox: Inbox) -> None:
        self._connections = connections
        self._connection = connection
        self._inbox = inbox

    @property
    def participant(self) -> Participant:
        return self._connection.participant

    async def perform(self, command: Command) -> Model:
        return await self._perform(command.name, lambda: command)

    async def attempt(self, kind: type[Command], payload: object) -> Model:
        return await self._perform(kind.name, lambda: parse(kind, payload))

    async def _perform(self, name: str, command: Callable[[], Command]) -> Model:
        code = Internal.code
        self._connections.began()
        try:
            self._connections.take(self._connection)
            await self._connections.require_accepting()
            result = await self._connections.perform(self._connection, command())
            code = "ok"
            return result
        except ChatError as refusal:
            code = refusal.code
            raise
        finally:
            self._connections.ended(name, code)

    async def heard(self) -> AsyncIterator[Event | Signal]:
        while True:
            packet = await self._inbox.take()
            heard = _read(packet.data)
            if heard is not None:
                yield heard

    async def end(self) -> ChatError:
        return await asyncio.shield(self._inbox.ended)


class Visitors:
    """`chat.ports.Visitors`. Each counts among the connections of its address and in all."""

    def __init__(
        self,
        connections: Connections,
        manager: RoomManager,
        census: Census,
        metrics: Metrics,
        unsent_bytes: int,
    ) -> None:
        self._connections = connections
        self._manager = manager
        self._census = census
        self._metrics = metrics
        self._unsent_bytes = unsent_bytes
        self._inboxes: set[Inbox] = set()

    @asynccontextmanager
    async def admit(self, token: str, address: str | None) -> AsyncIterator[Visitor]:
        with self._counted(address) if address is not None else nullcontext():
            inbox = Inbox(secrets.token_urlsafe(15), self._unsent_bytes, self._cut_off)
            try:
                self._manager.add(inbox)
                self._inboxes.add(inbox)
                try:
                    connection = await self._connections.add(inbox.sid, token, inbox.end)
                except ChatError as refusal:
                    raise self._refused(refusal) from None
                yield Visitor(self._connections, connection, inbox)
            finally:
                self._inboxes.discard(inbox)
                self._connections.remove(inbox.sid)
                self._manager.basic_disconnect(inbox.sid, NAMESPACE)

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        if not self._census.admit(address):
            raise self._refused(TooManyConnections("there are too many connections already"))
        try:
            if self._census.too_many(address):
                raise self._refused(TooManyConnections("there are too many connections already"))
            yield
        finally:
            self._census.leave(address)

    def end_all(self) -> None:
        """Tells all that the server is about to stop, after what they were told before."""
        for inbox in list(self._inboxes):
            inbox.end(Draining("this server is about to stop; connect again"))

    def _refused(self, refusal: ChatError) -> ChatError:
        self._metrics.refused.labels(refusal.code).inc()
        return refusal

    def _cut_off(self, sid: str) -> None:
        self._metrics.cut_off.inc()
        log.warning("slow_consumer_cut_off", connection=sid)


def _read(text: str | bytes) -> Event | Signal | None:
    """A packet for the namespace as what it tells. None: an ephemeral one of another release."""
    name, payload = orjson.loads(str(text).removeprefix(f"2{NAMESPACE},"))
    if name in TYPES:
        return Event.model_validate(payload)
    kind = SIGNALS.get(name)
    try:
        return kind.model_validate(payload) if kind is not None else None
    except ValidationError:
        return None
