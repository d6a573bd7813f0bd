"""Whoever answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chatserver.chat.models import BotInfo, Event, ReplyError, Session
from chatserver.chat.ports.memories import Memory


def unpaid(tokens: int) -> None:
    """Where nobody counts."""


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a bot gets to see: the messages of the conversation (see there) up to the prompt."""

    session: Session
    prompt: Event
    messages: tuple[Event, ...]
    memory: Memory | None = None
    """What it remembers of earlier ones. Made of what people wrote, and as little to be obeyed."""
    spend: Callable[[int], None] = unpaid
    """To be told of the tokens that the reply uses, as often as there is something to tell."""


class BotError(Exception):
    """A bot will not answer. The person sees `code` and `message`; the cause goes to the log."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.error = ReplyError(code=code, message=message, retryable=retryable)


class Bot(Protocol):
    @property
    def info(self) -> BotInfo: ...
    def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        """Yields the reply piece by piece. Raises `BotError` where there will be none.

        The caller closes the iterator on every way out.
        """
        ...


@runtime_checkable
class RememberingBot(Bot, Protocol):
    """A bot that can sum up what it is no longer shown."""

    @property
    def remembers(self) -> bool:
        """Whether it is meant to."""
        ...

    def shown_from(self, context: ReplyContext) -> int:
        """The `seq` from which on it goes on to be shown the messages after a reply."""
        ...

    async def fold(self, memory: str | None, turns: Sequence[Event]) -> str:
        """What is to be remembered of both together; never blank. Raises `BotError`.

        May take as long as a reply. Nothing that the turns say changes what it does.
        """
        ...


class Bots(Protocol):
    """The bots of this server, by name."""

    @property
    def default(self) -> str | None: ...
    def all(self) -> list[BotInfo]: ...
    def get(self, name: str) -> Bot | None: ...
