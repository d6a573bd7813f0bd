"""The `/chat` namespace: one boundary that validates, performs and maps every error."""

import secrets
from typing import Any

import socketio
import structlog

from chatserver.chat.commands import COMMANDS, parse
from chatserver.chat.errors import (
    ChatError,
    Draining,
    Internal,
    InvalidPayload,
    PayloadTooDeep,
    TooManyConnections,
    UnknownEvent,
)
from chatserver.chat.events import Welcome
from chatserver.chat.models import BotInfo, Model
from chatserver.observability.crashes import traced
from chatserver.observability.metrics import Metrics
from chatserver.realtime.codec import TOO_DEEP
from chatserver.realtime.connection import Connection
from chatserver.realtime.connections import SLOW, Connections
from chatserver.realtime.manager import NAMESPACE
from chatserver.realtime.server import ChatSocketServer

log = structlog.get_logger(__name__)

Ack = dict[str, Any]


class ChatNamespace(socketio.AsyncNamespace):  # type: ignore[misc]  # python-socketio is untyped
    """Connections come and go here; every client event passes through `_dispatch`."""

    def __init__(
        self,
        *,
        server: ChatSocketServer,
        connections: Connections,
        metrics: Metrics,
        bots: list[BotInfo],
        server_info: dict[str, str],
        shown_limits: dict[str, int],
    ) -> None:
        super().__init__(NAMESPACE)
        self._sio = server
        self._connections = connections
        self._metrics = metrics
        self._bots = bots
        self._server_info = server_info
        self._shown_limits = shown_limits
        server.connected = self._welcome
        server.slow_events = SLOW
        server.register_namespace(self)

    # --- connections ---------------------------------------------------------------------------

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Called by python-socketio for everything that happens in the namespace."""
        sid = args[0]
        if event == "connect":
            return await self._connect(sid, args[2] if len(args) > 2 else None)
        if event == "disconnect":
            return self._connections.remove(sid)
        return await self._dispatch(event, sid, args[1:])

    async def _connect(self, sid: str, auth: Any) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            await self._connections.require_accepting()
            if self._sio.is_one_too_many(sid, NAMESPACE):
                raise TooManyConnections("there are too many connections already")
            await self._connections.add(sid, token, lambda reason: self._drop(sid))
        except ChatError as refusal:
            self._metrics.refused.labels(refusal.code).inc()
            raise socketio.exceptions.ConnectionRefusedError(
                refusal.message, refusal.wire()
            ) from None

    def _welcome(self, sid: str) -> None:
        connection = self._connections.get(sid)
        if connection is None:
            return
        welcome = Welcome(
            participant=connection.participant,
            limits=self._shown_limits,
            bots=self._bots,
            server=self._server_info,
        )
        self._sio.rooms_manager.send(sid, Welcome.name, welcome)

    def _drop(self, sid: str) -> None:
        self._sio.start_background_task(self._sio.disconnect, sid, NAMESPACE)

    # --- events --------------------------------------------------------------------------------

    async def _dispatch(self, event: str, sid: str, args: tuple[Any, ...]) -> Ack:
        connection = self._connections.get(sid)
        code = "ok"
        self._connections.began()
        try:
            if connection is None:
                raise Draining("the connection is closing")
            result = await self._perform(connection, event, args)
            return {"ok": True, "data": result}
        except ChatError as refusal:
            code = refusal.code
            return {"ok": False, "error": refusal.wire()}
        except Exception as crash:
            code = Internal.code
            correlation_id = secrets.token_hex(8)
            log.error(
                "event_crashed", event_name=event, correlation_id=correlation_id, **traced(crash)
            )
            defect = Internal("something went wrong here", correlation_id=correlation_id)
            return {"ok": False, "error": defect.wire()}
        finally:
            self._connections.ended(event if event in COMMANDS else "unknown", code)

    async def _perform(self, connection: Connection, event: str, args: tuple[Any, ...]) -> Model:
        self._connections.take(connection)
        command_type = COMMANDS.get(event)
        if command_type is None:
            raise UnknownEvent("there is no such event")
        await self._connections.require_accepting()
        if TOO_DEEP in args:
            raise PayloadTooDeep("the payload is nested too deeply")
        if len(args) != 1:
            raise InvalidPayload("an event carries exactly one object")
        return await self._connections.perform(connection, parse(command_type, args[0]))
