"""People without a token: each is somebody for as long as the connection lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

import structlog

from chatserver.chat.commands import DeleteSession, Joined, JoinSession, LeaveSession
from chatserver.chat.errors import ChatError, NotFound, NotMember, SessionFull
from chatserver.chat.models import Identity, Participant, Session
from chatserver.chat.ports import Visitor
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import count

NAME = "Guest"

LIFETIME = timedelta(days=30)
"""Nobody knows a guest's token who could renew it: it must last as long as a visit may."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Guest:
    token: str
    session_id: str


class Lodging(Protocol):
    async def session(self, guest: Identity) -> Session: ...

    async def enter(self, visitor: Visitor, session_id: str) -> Joined: ...

    async def leave(self, guest: Participant, session_id: str) -> None: ...


class Private:
    """Each has a session that ends with the connection."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat

    async def session(self, guest: Identity) -> Session:
        return await self._chat.own_session(guest)

    async def enter(self, visitor: Visitor, session_id: str) -> Joined:
        return await entered(visitor, JoinSession(session_id=session_id))

    async def leave(self, guest: Participant, session_id: str) -> None:
        await self._chat.delete_session(guest, DeleteSession(session_id=session_id))


class Shared:
    """All are in one room."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat

    async def session(self, guest: Identity) -> Session:
        return await self._chat.guests_room()

    async def enter(self, visitor: Visitor, session_id: str) -> Joined:
        join = JoinSession(session_id=session_id)
        try:
            return await entered(visitor, join)
        except SessionFull:
            # Those whose server died are members still. (Somebody else may just have seen to it.)
            await self._chat.make_room(session_id)
        return await entered(visitor, join)

    async def leave(self, guest: Participant, session_id: str) -> None:
        await self._chat.leave_session(guest, LeaveSession(session_id=session_id))


class Guests:
    def __init__(self, chat: ChatService, lodging: Lodging, rate: RateLimiter) -> None:
        """`rate` counts their tokens by address."""
        self._chat = chat
        self._lodging = lodging
        self._rate = rate

    @asynccontextmanager
    async def lodged(self, address: str) -> AsyncIterator[Guest]:
        """A fresh guest, and the session to join, which is left in the end.

        Raises `RateLimited`, `NotFound` where the room was deleted, `Unavailable`.
        """
        count(self._rate, address)
        token = (await self._chat.issue_token(NAME, lifetime=LIFETIME)).token
        identity = await self._chat.authenticate(token)
        session_id = (await self._lodging.session(identity)).id
        try:
            yield Guest(token, session_id)
        finally:
            await self._leave(identity.participant, session_id)

    async def enter(self, visitor: Visitor, session_id: str) -> Joined:
        """The guest, in the room. Raises what joining raises."""
        return await self._lodging.enter(visitor, session_id)

    async def _leave(self, guest: Participant, session_id: str) -> None:
        try:
            await self._lodging.leave(guest, session_id)
        except (NotFound, NotMember):
            pass  # they never came so far, or the room is no more
        except ChatError as failure:
            log.warning("guest_not_seen_off", session=session_id, kind=failure.code)


async def entered(visitor: Visitor, join: JoinSession) -> Joined:
    joined = await visitor.perform(join)
    assert isinstance(joined, Joined)
    return joined


def guests_of(
    kind: Literal["off", "private", "shared"], chat: ChatService, rate: RateLimiter
) -> Guests | None:
    """None: only those with a token come in."""
    if kind == "off":
        return None
    return Guests(chat, Private(chat) if kind == "private" else Shared(chat), rate)
