"""The sessions of an Engine.IO server from their handshake to their end; no HTTP."""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from chatserver.observability.crashes import traced
from chatserver.realtime.engine.background import Background
from chatserver.realtime.engine.census import Census
from chatserver.realtime.engine.closing import Farewells, cut
from chatserver.realtime.engine.connection import Connection, Wire
from chatserver.realtime.engine.cork import Cork
from chatserver.realtime.engine.deadlines import DeadlineQueue, Deadlines, LoopClock
from chatserver.realtime.engine.frames import CloseCode
from chatserver.realtime.engine.heartbeat import Heartbeat
from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.outgoing import CLOSE, NOOP, Outgoing
from chatserver.realtime.engine.packets import Packet
from chatserver.realtime.engine.protocol import Effect, Reason, on_packet

log = structlog.get_logger(__name__)

LINGER_SECONDS = 1.0
"""How long a connection that is of no use may stay, so that its client can read why."""
FAREWELL_SECONDS = 5.0
"""How long a closed session's last packets can be polled."""

Handler = Callable[..., Awaitable[Any]]


class Sessions:
    """Everything a session holds is freed by `close`, in one step; only its handler runs later."""

    def __init__(
        self,
        limits: EngineLimits,
        background: Background,
        *,
        cut_off: Callable[[str], object],
        turned_away: Callable[[], object],
        ended: Callable[[str], object],
        instance: str = "",
    ) -> None:
        self.limits = limits
        self.is_closing = False
        """There are no more new ones."""
        self._instance = instance
        self.live: dict[str, Connection] = {}
        self.handlers: dict[str, Handler] = {}
        """`connect`, `message` and `disconnect`."""
        self.census = Census(limits.connections, limits.per_address)
        self._background = background
        self._cork = Cork()
        self._cut_off = cut_off
        self._turned_away = turned_away
        self._ended = ended
        self.deadlines = Deadlines(LoopClock())
        queue = self.deadlines.queue
        self.farewells = Farewells(self.deadlines)
        self.upgrading: DeadlineQueue[Wire] = queue(limits.upgrade_seconds, cut)
        self._heartbeat = Heartbeat(
            self.deadlines, limits.ping_interval, limits.ping_timeout, self._lost
        )
        self._unsettled: DeadlineQueue[Connection] = queue(limits.settle_seconds, self._useless)
        self._lingering: DeadlineQueue[Connection] = queue(LINGER_SECONDS, self._useless)
        self._parting: dict[str, Connection] = {}
        self._all_parted = asyncio.Event()
        self._parted: DeadlineQueue[str] = queue(FAREWELL_SECONDS, self.parted)

    # --- beginning -----------------------------------------------------------------------------

    def open(self, address: str, environ: dict[str, Any]) -> Connection | None:
        """A new session; its packets wait to be polled. None: there are far too many already."""
        if not self.census.admit(address):
            self._turned_away()
            return None
        sid = new_sid(self._instance)
        connection = Connection(
            sid, address, self.limits.unsent_bytes, self._cork, self._overflowed
        )
        connection.environ = environ
        self.live[sid] = connection
        self._heartbeat.start(connection)
        self._unsettled.add(connection)
        return connection

    async def opened(self, connection: Connection) -> None:
        """Its OPEN packet has left (or waits): tells the connect handler."""
        if await self._handle("connect", connection.sid, connection.environ) is False:
            self.close(connection, Reason.SERVER_DISCONNECT, code=CloseCode.POLICY_VIOLATION)

    def find(self, sid: str) -> Connection | None:
        """A live session, or a closed one whose last packets were not polled yet."""
        return self.live.get(sid) or self._parting.get(sid)

    def parted(self, sid: str) -> None:
        """They were: the session is forgotten."""
        self._parting.pop(sid, None)
        self._parted.discard(sid)
        if not self._parting:
            self._all_parted.set()

    # --- of use or not -------------------------------------------------------------------------

    def settled(self, sid: str) -> None:
        """The connection may stay."""
        connection = self.live.get(sid)
        if connection is not None:
            self._unsettled.discard(connection)
            self._lingering.discard(connection)

    def unsettled(self, sid: str) -> None:
        """It has `settle_seconds` to become of use again."""
        connection = self.live.get(sid)
        if connection is not None:
            self._unsettled.add(connection)

    def linger(self, sid: str) -> None:
        """It will be closed in a moment."""
        connection = self.live.get(sid)
        if connection is not None:
            self._unsettled.discard(connection)
            self._lingering.add(connection)

    # --- packets -------------------------------------------------------------------------------

    async def receive(self, connection: Connection, packet: Packet) -> None:
        match on_packet(packet):
            case _ if connection.closed:
                pass
            case Effect.DELIVER:
                await self.message(connection, packet.data)
            case Effect.ALIVE:
                self._heartbeat.heard(connection)
            case Effect.END:
                connection.ended_by_client = True
                # Its last poll may be open, or still on its way.
                self.close(connection, Reason.CLIENT_DISCONNECT, last=NOOP)
            case Effect.REFUSE:
                self.refuse(connection, CloseCode.PROTOCOL_ERROR, "unexpected packet")

    async def message(self, connection: Connection, data: str | bytes) -> None:
        if not connection.closed:
            connection.busy = True
            try:
                await self._handle("message", connection.sid, data)
            finally:
                connection.busy = False

    async def _handle(self, event: str, sid: str, *args: Any) -> Any:
        """A handler that crashes ends the connection: once in the log, not once per packet."""
        try:
            return await self.handlers[event](sid, *args)
        except Exception as crash:
            log.error("handler_crashed", handler=event, connection=sid, **traced(crash))
            connection = self.live.get(sid)
            if connection is not None:
                self.close(
                    connection, Reason.SERVER_DISCONNECT, code=CloseCode.INTERNAL_ERROR, last=None
                )

    # --- the end -------------------------------------------------------------------------------

    def close(
        self,
        connection: Connection,
        reason: str,
        *,
        code: int = CloseCode.NORMAL,
        why: str = "",
        last: Outgoing | None = CLOSE,
        is_cut: bool = False,
    ) -> asyncio.Task[Any] | None:
        """Frees what it holds at once; returns the disconnect handler's task.

        A WebSocket gets a close frame with `code`, and is cut if its client does not confirm it;
        with `is_cut` at once. What waits and `last` can still be polled, unless `last` is None.
        Returns None where it was closed before.
        """
        if connection.closed:
            return None
        del self.live[connection.sid]
        self._ended(reason)
        self._heartbeat.stop(connection)
        self._unsettled.discard(connection)
        self._lingering.discard(connection)
        self.census.leave(connection.address)
        wire, candidate = connection.wire, connection.candidate
        connection.finish(last, is_cut=is_cut)
        if not connection.is_empty:
            self._parting[connection.sid] = connection
            self._all_parted.clear()
            self._parted.add(connection.sid)
        for each in (wire, candidate):
            if each is not None and is_cut:
                cut(each)
            elif each is not None:
                self.farewells.say(each, code, why)
        return self._background.start(self._handle("disconnect", connection.sid, reason))

    def refuse(self, connection: Connection, code: int, why: str) -> None:
        """The client broke the rules."""
        if not connection.closed:
            log.debug("connection_refused", connection=connection.sid, why=why)
            self.close(connection, Reason.TRANSPORT_ERROR, code=code, why=why, last=None)

    async def close_all(self, code: int, *, patience: float = 0) -> None:
        """Returns when the disconnect handlers have.

        Clients between two polls get `patience` seconds to come for their last packets.
        """
        ending = [
            self.close(connection, Reason.SERVER_DISCONNECT, code=code)
            for connection in list(self.live.values())
        ]
        await asyncio.gather(*[task for task in ending if task is not None])
        if self._parting and patience:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._all_parted.wait()

    def _lost(self, connection: Connection) -> None:
        self.close(connection, Reason.PING_TIMEOUT, last=None, is_cut=True)

    def _overflowed(self, connection: Connection) -> None:
        self._cut_off(connection.sid)
        self.close(connection, Reason.TRANSPORT_ERROR, last=None, is_cut=True)

    def _useless(self, connection: Connection) -> None:
        self.close(connection, Reason.SERVER_DISCONNECT, code=CloseCode.POLICY_VIOLATION)


def new_sid(instance: str = "") -> str:
    """120 random bits: whoever knows a session's id can speak in its name.

    With the name of an instance before them, and a dot, a load balancer can tell from any request
    of the session where it belongs.
    """
    secret = base64.urlsafe_b64encode(secrets.token_bytes(15)).decode()
    return f"{instance}.{secret}" if instance else secret
