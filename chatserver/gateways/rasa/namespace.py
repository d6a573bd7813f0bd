"""The namespace `/`: one boundary that maps every error to something a widget can show."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import socketio
import structlog

from chatserver.chat.errors import ChatError, Internal, TooManyConnections
from chatserver.gateways.rasa.payloads import apology, bot_uttered
from chatserver.gateways.rasa.widget import Door, Widget
from chatserver.observability.crashes import traced
from chatserver.observability.metrics import Metrics

log = structlog.get_logger(__name__)

NAMESPACE = "/"


class Sockets(Protocol):
    """The Socket.IO server, as far as it is needed here."""

    def register_namespace(self, handler: socketio.AsyncNamespace, /) -> None: ...

    def address_of(self, sid: str, namespace: str) -> str | None:
        """Where a member of the namespace comes from. None: it has gone."""
        ...

    def is_one_too_many(self, sid: str, namespace: str) -> bool:
        """Whether it is more than its address, or the process, may have."""
        ...

    def send_back(self, sid: str, namespace: str, /) -> None:
        """Closes its connection in a moment, so that its client comes again by itself."""
        ...

    def keep(self, sid: str, namespace: str, /) -> None:
        """Its connection may stay after all."""
        ...


class RasaNamespace(socketio.AsyncNamespace):  # type: ignore[misc]  # python-socketio is untyped
    """No event has an ack with content: Rasa's have none."""

    def __init__(self, sockets: Sockets, door: Door, metrics: Metrics) -> None:
        super().__init__(NAMESPACE)
        self._sockets = sockets
        self._door = door
        self._metrics = metrics
        self._widgets: dict[str, Widget] = {}

    async def trigger_event(self, event: str, *args: Any) -> None:
        """Called by python-socketio for everything that happens in the namespace."""
        sid = args[0]
        if event == "connect":
            self._connect(sid)
        elif event == "disconnect":
            await self._leave(sid)
        elif sid in self._widgets:
            await self._dispatch(sid, self._widgets[sid], event, args[1:])

    def _connect(self, sid: str) -> None:
        if self._sockets.is_one_too_many(sid, NAMESPACE):
            refusal = TooManyConnections("there are too many connections already")
            self._metrics.refused.labels(refusal.code).inc()
            raise socketio.exceptions.ConnectionRefusedError(refusal.message, refusal.wire())
        address = self._sockets.address_of(sid, NAMESPACE)
        if address is None:
            return

        async def tell(text: str) -> None:
            await self.emit("bot_uttered", bot_uttered(text), to=sid)

        async def confirm(session_id: str) -> None:
            self._sockets.keep(sid, NAMESPACE)
            await self.emit("session_confirm", session_id, to=sid)

        self._widgets[sid] = Widget(self._door, address, tell, confirm)

    async def _leave(self, sid: str) -> None:
        widget = self._widgets.pop(sid, None)
        if widget is not None:
            await widget.leave()

    async def _dispatch(
        self, sid: str, widget: Widget, event: str, arguments: tuple[Any, ...]
    ) -> None:
        handlers: dict[str, Callable[..., Awaitable[None]]] = {
            "session_request": widget.session_request,
            "user_uttered": widget.user_uttered,
        }
        handler = handlers.get(event)
        if handler is None:
            return
        try:
            await handler(*arguments)
        except ChatError as refusal:
            await self._apologize(sid, refusal)
            asks_in_vain = event == "session_request" and not widget.is_confirmed
            if asks_in_vain and refusal.retryable and sid in self._widgets:
                # It keeps what is said until it is confirmed, and asks only when it connects.
                self._sockets.send_back(sid, NAMESPACE)
        except Exception as crash:
            log.error("rasa_event_crashed", event_name=event, **traced(crash))
            await self._apologize(sid, Internal("something went wrong here"))

    async def _apologize(self, sid: str, refusal: ChatError) -> None:
        await self.emit("bot_uttered", bot_uttered(apology(refusal)), to=sid)
