"""The route: requests become wishes, and refusals HTTP statuses, before anything is accepted."""

from collections.abc import Collection, Sequence

from aiohttp import web

from chatserver.addresses import Network
from chatserver.chat.commands import parse
from chatserver.chat.ports import Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import caller
from chatserver.gateways.framed.conversation import Conversation
from chatserver.gateways.framed.entry import Entry, Wish
from chatserver.gateways.handshakes import opened
from chatserver.gateways.sockets import DoorSocket
from chatserver.gateways.talk import talk

PARAMETERS = ("token", "session", "invite")


def setup(
    app: web.Application,
    *,
    chat: ChatService,
    visitors: Visitors,
    guests: bool,
    token_rate: RateLimiter,
    frame_bytes: int,
    ping_seconds: float,
    silence_seconds: float,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Collection[str] = (),
) -> None:
    """Adds `/ws/{client_id}`.

    `token_rate` counts guests by address.
    """
    entry = Entry(chat, visitors, token_rate, guests=guests)
    door = FramedDoor(
        entry, frame_bytes, ping_seconds, silence_seconds, trusted_proxies, allowed_origins
    )
    # An empty name is refused as a name, and not as an unknown address.
    app.router.add_get("/ws/{client_id:[^/]*}", door.handle)


class FramedDoor:
    def __init__(
        self,
        entry: Entry,
        frame_bytes: int,
        ping_seconds: float,
        silence_seconds: float,
        trusted: Sequence[Network],
        allowed_origins: Collection[str],
    ) -> None:
        self._entry = entry
        self._frame_bytes = frame_bytes
        self._ping_seconds = ping_seconds
        self._silence_seconds = silence_seconds
        self._trusted = trusted
        self._allowed_origins = allowed_origins

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ws = DoorSocket(
            # Beyond this aiohttp cuts the line, and who still sends may not see why.
            message_bytes=2 * self._frame_bytes,
            ping_seconds=self._ping_seconds,
            silence_seconds=self._silence_seconds,
        )
        return await opened(request, ws, self._allowed_origins, lambda: self._serve(request, ws))

    async def _serve(self, request: web.Request, ws: DoorSocket) -> None:
        wish = _wish(request)
        async with self._entry.entered(wish, caller(request, self._trusted)) as entered:
            await ws.prepare(request)
            visitor, session_id = entered.visitor, entered.session_id
            conversation = Conversation(ws, visitor, session_id, self._frame_bytes)
            await talk(request, ws, visitor, conversation.act, conversation.tell)


def _wish(request: web.Request) -> Wish:
    given = {name: request.query[name] for name in PARAMETERS if name in request.query}
    return parse(Wish, {"client_id": request.match_info["client_id"], **given})
