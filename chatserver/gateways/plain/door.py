"""Who comes in at `/chat`, and to which session."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from chatserver.addresses import Network
from chatserver.chat.commands import JoinSession, parse
from chatserver.chat.ports import Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import caller
from chatserver.gateways.handshakes import opened
from chatserver.gateways.plain.conversation import Conversation, LastingConversation
from chatserver.gateways.plain.guests import Guests, entered, guests_of
from chatserver.gateways.sockets import DoorSocket


@dataclass(frozen=True, slots=True)
class Door:
    chat: ChatService
    visitors: Visitors
    guests: Guests | None
    thinking_notice: str
    frame_bytes: int
    ping_seconds: float
    silence_seconds: float
    trusted_proxies: Sequence[Network]
    allowed_origins: Collection[str]

    async def open(self, request: web.Request) -> web.StreamResponse:
        ws = DoorSocket(
            message_bytes=self.frame_bytes,
            ping_seconds=self.ping_seconds,
            silence_seconds=self.silence_seconds,
            # Who closes it and comes back at once must find noted what they have read: they get
            # their answer once all here is done.
            autoclose=False,
        )
        return await opened(request, ws, self.allowed_origins, lambda: self._serve(request, ws))

    async def _serve(self, request: web.Request, ws: DoorSocket) -> None:
        async with self._visit(request, ws) as conversation:
            await ws.prepare(request)
            await conversation.run(request)

    @asynccontextmanager
    async def _visit(self, request: web.Request, ws: DoorSocket) -> AsyncIterator[Conversation]:
        """Somebody in a session. Raises a `ChatError` where they may not come in."""
        token, address = request.query.get("token", ""), caller(request, self.trusted_proxies)
        notice = self.thinking_notice
        if self.guests is None or token or "session" in request.query:
            async with self.visitors.admit(token, address) as visitor:
                join = await self._wanted(token, request)
                yield LastingConversation(
                    ws, visitor, await entered(visitor, join), notice, self.chat
                )
            return
        async with (
            self.guests.lodged(address) as guest,
            self.visitors.admit(guest.token, address) as visitor,
        ):
            yield Conversation(
                ws, visitor, await self.guests.enter(visitor, guest.session_id), notice
            )

    async def _wanted(self, token: str, request: web.Request) -> JoinSession:
        session_id, invite = request.query.get("session"), request.query.get("invite")
        if session_id is None:
            own = await self.chat.own_session(await self.chat.authenticate(token))
            return JoinSession(session_id=own.id)
        return parse(JoinSession, {"session_id": session_id, "invite": invite})


def setup(
    app: web.Application,
    *,
    chat: ChatService,
    visitors: Visitors,
    guests: Literal["off", "private", "shared"],
    token_rate: RateLimiter,
    thinking_notice: str,
    frame_bytes: int,
    ping_seconds: float,
    silence_seconds: float,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Collection[str] = (),
) -> None:
    """Adds `/chat`. `token_rate` counts the tokens that guests get, by address."""
    door = Door(
        chat=chat,
        visitors=visitors,
        guests=guests_of(guests, chat, token_rate),
        thinking_notice=thinking_notice,
        frame_bytes=frame_bytes,
        ping_seconds=ping_seconds,
        silence_seconds=silence_seconds,
        trusted_proxies=trusted_proxies,
        allowed_origins=allowed_origins,
    )
    app.router.add_get("/chat", door.open, allow_head=False)
