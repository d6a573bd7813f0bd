"""How somebody gets into a room by the framed door, and out of it again."""

import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from chatserver.chat.commands import Id, Joined, JoinSession, LeaveSession, Name
from chatserver.chat.errors import (
    ChatError,
    Forbidden,
    NotFound,
    NotMember,
    SessionFull,
)
from chatserver.chat.models import Member, Model, Participant
from chatserver.chat.ports import Visitor, Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.rooms import HOUSE, LOBBY
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import count
from chatserver.gateways.framed.names import Handshakes, require_free, require_usable
from chatserver.gateways.naming import same

log = structlog.get_logger(__name__)

GUEST_LIFETIME = timedelta(days=30)
"""Longest that a guest stays. Nobody holds the token, so none could renew it."""


class Wish(Model):
    """What a handshake asks for. (A token that is no text at all is no token.)"""

    client_id: Name
    token: str | None = None
    session: Id | None = None
    invite: Id | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    visitor: Visitor
    session_id: str


class Entry:
    def __init__(
        self, chat: ChatService, visitors: Visitors, token_rate: RateLimiter, *, guests: bool
    ) -> None:
        """`token_rate` counts guests by address; `guests`: whether there may be any."""
        self._chat = chat
        self._visitors = visitors
        self._token_rate = token_rate
        self._guests = guests
        self._handshakes = Handshakes()

    @asynccontextmanager
    async def entered(self, wish: Wish, address: str) -> AsyncIterator[Entered]:
        """In the room for as long as the context lasts; then the name is free at once.

        Raises what authentication, admission and joining raise; `Forbidden` for a name that may not
        be had or a guest who may not be one; `RateLimited`.
        """
        require_usable(wish.client_id)
        me = await self._known(wish)
        if me is None:
            self._require_guest(wish, address)
        session_id = wish.session or (await self._chat.lobby()).id
        with ExitStack() as handshake:
            owner = me.id if me is not None else secrets.token_bytes(8)
            handshake.enter_context(self._handshakes.reserving(session_id, wish.client_id, owner))
            members = await self._members(session_id, me)
            require_free(wish.client_id, members, me.id if me is not None else None)
            async with self._admitted(wish, address, session_id) as entered:
                handshake.close()
                yield entered

    async def _known(self, wish: Wish) -> Participant | None:
        """Whose token it is. None: there is none."""
        if wish.token is None:
            return None
        who = (await self._chat.authenticate(wish.token)).participant
        if same(who.name) != same(wish.client_id):
            raise Forbidden("the token is of somebody with another name")
        return who

    def _require_guest(self, wish: Wish, address: str) -> None:
        if not self._guests:
            raise Forbidden("a token is needed here")
        if wish.session is not None:
            raise Forbidden("a session of one's choice needs a token")
        count(self._token_rate, address)

    async def _members(self, session_id: str, me: Participant | None) -> list[Member]:
        """Those of a session where one may not look before one has joined are seen then."""
        asks = HOUSE if session_id == LOBBY or me is None else me
        try:
            return await self._chat.members(asks, session_id)
        except (NotFound, NotMember):
            return []

    @asynccontextmanager
    async def _admitted(self, wish: Wish, address: str, session_id: str) -> AsyncIterator[Entered]:
        token = (
            wish.token
            or (await self._chat.issue_token(wish.client_id, lifetime=GUEST_LIFETIME)).token
        )
        leaves, me = False, None
        try:
            async with self._visitors.admit(token, address) as visitor:
                me = visitor.participant
                join = JoinSession(session_id=session_id, invite=wish.invite)
                # Guests always do; others where it was this that made them members, in vain.
                leaves = wish.token is None
                leaves = await self._become_member(me, join) or leaves
                joined = await visitor.perform(join)
                assert isinstance(joined, Joined)
                # Meanwhile somebody may have got the name by another door or instance.
                require_free(wish.client_id, joined.members, me.id)
                leaves = wish.token is None
                yield Entered(visitor, session_id)
        finally:
            # The connection has left the room by now: nobody waits for the store to get the name.
            if me is not None and leaves:
                await self._leave(me, session_id)

    async def _become_member(self, who: Participant, join: JoinSession) -> bool:
        try:
            return await self._chat.become_member(who, join)
        except SessionFull:
            if join.session_id != LOBBY:
                raise
            await self._chat.make_room(LOBBY)  # or somebody else just did
            return await self._chat.become_member(who, join)

    async def _leave(self, who: Participant, session_id: str) -> None:
        try:
            await self._chat.leave_session(who, LeaveSession(session_id=session_id))
        except (NotFound, NotMember):
            pass  # never a member, or no more
        except ChatError as refusal:
            log.warning("guest_did_not_leave", session=session_id, code=refusal.code)
