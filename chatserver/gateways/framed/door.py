"""The route: requests become wishes, and refusals HTTP statuses, before anything is accepted."""

import math
from collections.abc import Collection, Sequence

from aiohttp import hdrs, web

from chatserver.addresses import Network
from chatserver.chat.commands import parse
from chatserver.chat.errors import (
    ChatError,
    Forbidden,
    InvalidPayload,
    LimitReached,
    Temporary,
)
from chatserver.chat.ports import Clock, Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import caller
from chatserver.gateways.framed.conversation import Conversation
from chatserver.gateways.framed.entry import Entry, Wish
from chatserver.gateways.talk import talk
from chatserver.origins import is_own_or_allowed

CLOSING_SECONDS = 2.0
"""How long a client may take to answer a close frame."""

STATUS: tuple[tuple[type[ChatError], int], ...] = (
    (InvalidPayload, 400),
    (LimitReached, 429),
    (Temporary, 503),
    (ChatError, 403),
)
"""The first that fits."""

PARAMETERS = ("token", "session", "invite")


def setup(
    app: web.Application,
    *,
    chat: ChatService,
    visitors: Visitors,
    clock: Clock,
    guests: bool,
    tokens_per_minute: int,
    frame_bytes: int,
    ping_seconds: float,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Collection[str] = (),
) -> None:
    """Adds `/ws/{client_id}`.

    Whoever does not answer a ping, sent after `ping_seconds` of silence, within half that time is
    gone. `tokens_per_minute` counts guests by address.
    """
    rate = RateLimiter(tokens_per_minute / 60, tokens_per_minute, clock)
    entry = Entry(chat, visitors, rate, guests=guests)
    door = FramedDoor(entry, frame_bytes, ping_seconds, trusted_proxies, allowed_origins)
    # An empty name is refused as a name, and not as an unknown address.
    app.router.add_get("/ws/{client_id:[^/]*}", door.handle)


class FramedDoor:
    def __init__(
        self,
        entry: Entry,
        frame_bytes: int,
        ping_seconds: float,
        trusted: Sequence[Network],
        allowed_origins: Collection[str],
    ) -> None:
        self._entry = entry
        self._frame_bytes = frame_bytes
        self._ping_seconds = ping_seconds
        self._trusted = trusted
        self._allowed_origins = allowed_origins

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(
            timeout=CLOSING_SECONDS,
            heartbeat=self._ping_seconds,
            compress=False,
            # Beyond this aiohttp cuts the line, and who still sends may not see why.
            max_msg_size=2 * self._frame_bytes + 1,
        )
        if not ws.can_prepare(request):
            return web.Response(status=426, headers={hdrs.UPGRADE: "websocket"})
        try:
            self._require_origin(request)
            wish = _wish(request)
            async with self._entry.entered(wish, caller(request, self._trusted)) as entered:
                await ws.prepare(request)
                visitor, session_id = entered.visitor, entered.session_id
                conversation = Conversation(ws, visitor, session_id, self._frame_bytes)
                await talk(request, ws, visitor, conversation.act, conversation.tell)
        except ChatError as refusal:
            return _refused(refusal)
        return ws

    def _require_origin(self, request: web.Request) -> None:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin and not is_own_or_allowed(origin, request.host, self._allowed_origins):
            raise Forbidden("pages of this origin may not connect")


def _wish(request: web.Request) -> Wish:
    given = {name: request.query[name] for name in PARAMETERS if name in request.query}
    return parse(Wish, {"client_id": request.match_info["client_id"], **given})


def _refused(refusal: ChatError) -> web.Response:
    status = next(status for kind, status in STATUS if isinstance(refusal, kind))
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if status in (429, 503):
        headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil((refusal.retry_after_ms or 0) / 1000)))
    return web.Response(status=status, text=f"{refusal.message}\n", headers=headers)
