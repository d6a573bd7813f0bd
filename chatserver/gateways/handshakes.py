"""What a client is told instead of being let in: doors of WebSockets refuse before they accept."""

import math
import secrets
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from chatserver.chat.errors import (
    ChatError,
    Forbidden,
    InvalidPayload,
    LimitReached,
    Temporary,
)
from chatserver.observability.crashes import traced
from chatserver.origins import is_own_or_allowed

log = structlog.get_logger(__name__)

STATUS: tuple[tuple[type[ChatError], HTTPStatus], ...] = (
    (InvalidPayload, HTTPStatus.BAD_REQUEST),
    (LimitReached, HTTPStatus.TOO_MANY_REQUESTS),
    (Temporary, HTTPStatus.SERVICE_UNAVAILABLE),
    (ChatError, HTTPStatus.FORBIDDEN),
)
"""The first that fits."""


async def opened(
    request: web.Request,
    ws: web.WebSocketResponse,
    allowed_origins: Collection[str],
    serve: Callable[[], Awaitable[None]],
) -> web.StreamResponse:
    """`ws` once `serve`, which prepares it, is done; or the refusal in its place.

    A crash after `ws` was prepared is raised.
    """
    wrong = _wrong_handshake(request, ws, allowed_origins)
    if wrong is not None:
        return wrong
    try:
        await serve()
    except ChatError as refused:
        return _refusal(refused)
    except ConnectionError:
        pass  # they went before they were let in
    except Exception as crash:
        if ws.prepared:
            raise
        return crashed(request, crash)
    return ws


def _wrong_handshake(
    request: web.Request, ws: web.WebSocketResponse, allowed_origins: Collection[str]
) -> web.Response | None:
    """The answer to a request that cannot open `ws`: 426, or 403 to a page from elsewhere."""
    if not _can_prepare(request, ws):
        return web.Response(
            status=HTTPStatus.UPGRADE_REQUIRED,
            text="this is a WebSocket\n",
            headers={hdrs.UPGRADE: "websocket", hdrs.SEC_WEBSOCKET_VERSION: "13"},
        )
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and not is_own_or_allowed(origin, request.host, allowed_origins):
        return _refusal(Forbidden("pages of this origin may not connect"))
    return None


def _can_prepare(request: web.Request, ws: web.WebSocketResponse) -> bool:
    try:
        return bool(ws.can_prepare(request))
    except ValueError:  # a key that is not even ASCII
        return False


def _refusal(error: ChatError) -> web.Response:
    """The HTTP answer in place of the upgrade; 403 to all who may not come in.

    (Elsewhere `close(1008)` before accept; that is what clients see of it.)
    """
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    headers = {hdrs.CACHE_CONTROL: "no-store", **retry_after(error)}
    return web.Response(status=status, text=f"{error.message}\n", headers=headers)


def crashed(request: web.Request, crash: Exception) -> web.Response:
    correlation_id = note_crash(request, crash)
    return web.Response(status=500, text=f"something went wrong on our side ({correlation_id})")


def note_crash(request: web.Request, crash: Exception) -> str:
    """Returns the id by which it is found in the log."""
    correlation_id = secrets.token_hex(8)
    log.error(
        "request_crashed",
        correlation_id=correlation_id,
        path=request.path,
        **traced(crash),
    )
    return correlation_id


def retry_after(error: ChatError) -> dict[str, str]:
    """The header that says when to come again; none where that would not help."""
    if not error.retryable:
        return {}
    return {hdrs.RETRY_AFTER: str(max(1, math.ceil((error.retry_after_ms or 0) / 1000)))}
