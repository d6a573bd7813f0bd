"""One connection of a widget, and the conversation that it is in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chatserver.chat.errors import Draining, NotFound, RateLimited, Unauthorized
from chatserver.chat.models import Token
from chatserver.chat.ports import Clock, Visitors
from chatserver.chat.rates import RateLimiter, TokenBucket
from chatserver.chat.service import ChatService
from chatserver.gateways.rasa.conversation import Conversation, Tell
from chatserver.gateways.rasa.payloads import asked_session, text_of, uttered
from chatserver.gateways.rasa.resends import Resends

GUEST = "Guest"

Confirm = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Door:
    """What all widgets share."""

    chat: ChatService
    visitors: Visitors
    clock: Clock
    token_rate: RateLimiter
    events_per_second: float
    events_burst: float


class Widget:
    """Its events come one after the other; only `leave` may come at any time.

    Each raises a `ChatError` with nothing stored.
    """

    def __init__(self, door: Door, address: str, tell: Tell, confirm: Confirm) -> None:
        """`tell` is given texts, `confirm` session ids."""
        self._door = door
        self._address = address
        self._tell = tell
        self._confirm = confirm
        self._bucket = TokenBucket(door.events_per_second, door.events_burst, door.clock)
        self._resends = Resends(door.clock)
        self._conversation: Conversation | None = None
        self._is_gone = False

    async def session_request(self, *arguments: Any) -> None:
        """The session that is asked for where it lives; else the present one; else a new one."""
        self._count()
        asked = asked_session(arguments[0]) if arguments else None
        here = self._here
        if asked is not None and (here is None or asked != here.id):
            resumed = await self._resume(asked)
            if resumed is not None:
                await self._move(resumed)
        await self._confirmed(self._here or await self._begin_new(), asked)

    async def user_uttered(self, *arguments: Any) -> None:
        """Names a session only where none was confirmed; then it also begins one if it must."""
        self._count()
        payload = uttered(arguments)
        if payload is None:
            return
        text = text_of(payload)
        self._door.chat.check_text(text)
        asked = asked_session(payload)
        here = self._here or await self._begin(asked)
        message_id = self._resends.client_message_id(payload)
        try:
            await here.say(text, message_id)
        except NotFound:  # it was deleted
            here = await self._begin_new()
            await self._confirmed(here, asked)
            await here.say(text, message_id)

    async def leave(self) -> None:
        """Returns when nothing of it is left, but for an event that is under way."""
        self._is_gone = True
        if self._conversation is not None:
            await self._conversation.close()

    @property
    def is_confirmed(self) -> bool:
        """Whether it was ever told of a session."""
        return self._conversation is not None

    @property
    def _here(self) -> Conversation | None:
        here = self._conversation
        return here if here is not None and not here.is_over else None

    def _count(self) -> None:
        """A conversation has a rate of its own; this one holds however many there are."""
        wait = self._bucket.take()
        if wait:
            raise RateLimited("too many events; slow down", retry_after_ms=round(wait * 1000))

    async def _begin(self, asked: str | None) -> Conversation:
        resumed = await self._resume(asked) if asked is not None else None
        if resumed is not None:
            await self._move(resumed)
            return resumed
        begun = await self._begin_new()
        await self._confirmed(begun, asked)
        return begun

    async def _begin_new(self) -> Conversation:
        if self._door.token_rate.take(self._address):
            raise RateLimited("too many conversations were begun from here; try again in a minute")
        begun = await self._enter(await self._door.chat.issue_token(GUEST))
        await self._move(begun)
        return begun

    async def _resume(self, asked: str) -> Conversation | None:
        """None where it is not known, or has come to its end."""
        try:
            return await self._enter(await self._door.chat.renew_token(asked))
        except Unauthorized:
            return None

    async def _enter(self, token: Token) -> Conversation:
        door = self._door
        conversation = Conversation(door.chat, door.visitors, door.clock, token, self._tell)
        await conversation.begin()
        if self._is_gone:
            await conversation.close()
            raise Draining("the connection is closing")
        return conversation

    async def _move(self, conversation: Conversation) -> None:
        before, self._conversation = self._conversation, conversation
        if before is not None:
            await before.close()

    async def _confirmed(self, conversation: Conversation, asked: str | None) -> None:
        self._resends.confirmed(conversation.id, asked)
        await self._confirm(conversation.id)
