"""Somebody in the session of a token: says things, and tells what is said there."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from chatserver.chat.commands import Joined, JoinSession, SendMessage, parse
from chatserver.chat.errors import ChatError, NotFound, Unavailable
from chatserver.chat.events import SessionAdded
from chatserver.chat.models import Event, Token
from chatserver.chat.ports import Clock, Visitor, Visitors
from chatserver.chat.rooms import session_of
from chatserver.chat.service import ChatService
from chatserver.chat.tokens import token_digest
from chatserver.gateways.rasa.payloads import told
from chatserver.observability.crashes import traced

log = structlog.get_logger(__name__)

RENEWALS = 4
"""In a token's life. So who leaves can come back for three quarters of it at least."""
BREATH_SECONDS = 0.1
"""Between two renewals, however short a token lives."""

Tell = Callable[[str], Awaitable[None]]


class Conversation:
    """From `begin` until `close`, or until the token ends, the server drains, or it crashes.

    The session is made when something is said: most pages with a widget are only looked at.
    """

    def __init__(
        self, chat: ChatService, visitors: Visitors, clock: Clock, token: Token, tell: Tell
    ) -> None:
        self.id = token.token
        self._chat = chat
        self._visitors = visitors
        self._clock = clock
        self._token = token
        self._tell = tell
        self._session_id = session_of(token_digest(token.token))
        self._is_in = False
        self._turn = asyncio.Lock()
        self._admitted: asyncio.Future[Visitor]
        self._task: asyncio.Task[None]

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def begin(self) -> None:
        """Raises what `Visitors.admit` raises."""
        self._admitted = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live())
        try:
            ways = (self._task, self._admitted)
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        if not self._admitted.done():
            await self._task

    async def say(self, text: str, client_message_id: str) -> None:
        """Raises what `Visitor.perform` raises, `NotFound` where the session was deleted."""
        payload = {
            "session_id": self._session_id,
            "text": text,
            "client_message_id": client_message_id,
        }
        command = parse(SendMessage, payload)
        visitor = self._admitted.result()
        async with self._turn:
            if not self._is_in:
                await self._chat.own_session(await self._chat.authenticate(self.id))
                await self._enter(visitor)
            await visitor.perform(command)

    async def close(self) -> None:
        """Returns when nothing of it is left."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _live(self) -> None:
        # The connection was counted when it came.
        async with self._visitors.admit(self.id, None) as visitor:
            with suppress(NotFound):
                await self._join(visitor)  # what is there already the widget knows
            self._admitted.set_result(visitor)
            renewing = asyncio.create_task(self._renew())
            try:
                await self._hear(visitor)
            except ChatError as end:
                log.debug("rasa_conversation_ended", code=end.code)
            except Exception as crash:
                log.error("rasa_conversation_crashed", **traced(crash))
            finally:
                renewing.cancel()

    async def _hear(self, visitor: Visitor) -> None:
        """Raises the visit's end."""
        async for heard in visitor.heard():
            if isinstance(heard, Event):
                await self._pass_on(heard, visitor)
            elif isinstance(heard, SessionAdded) and heard.session.id == self._session_id:
                async with self._turn:
                    # Otherwise another page of the same widget has made it.
                    if not self._is_in:
                        await self._enter(visitor)

    async def _enter(self, visitor: Visitor) -> None:
        """The session is new: whatever is in it was not told yet."""
        for event in (await self._join(visitor)).events:
            await self._pass_on(event, visitor)

    async def _join(self, visitor: Visitor) -> Joined:
        joined = await visitor.perform(JoinSession(session_id=self._session_id))
        assert isinstance(joined, Joined)
        self._is_in = True
        return joined

    async def _pass_on(self, event: Event, visitor: Visitor) -> None:
        text = told(event, visitor.participant.id)
        if text is not None:
            await self._tell(text)

    async def _renew(self) -> None:
        """A token lives on for as long as somebody is here. (If it was revoked the visit ends.)"""
        while True:
            left = (self._token.expires_at - self._clock.now()).total_seconds()
            await asyncio.sleep(max(left / RENEWALS, BREATH_SECONDS))
            try:
                self._token = await self._chat.renew_token(self.id)
            except Unavailable:
                continue
            except ChatError:
                return
