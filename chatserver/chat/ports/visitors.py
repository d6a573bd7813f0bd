"""How gateways bring people in that do not speak our Socket.IO protocol."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chatserver.chat.commands import Command
from chatserver.chat.errors import ChatError
from chatserver.chat.events import Signal
from chatserver.chat.models import Event, Model, Participant


class Visitor(Protocol):
    """One connection: acts, and hears what the participant's other connections hear."""

    @property
    def participant(self) -> Participant: ...

    async def perform(self, command: Command) -> Model:
        """The command's ack. Who creates, joins or follows a session enters its room as well.

        One at a time. Raises what the use case raises; `RateLimited` and `TooManySessions` by the
        bounds of a connection; `Draining`; and for a token that has come to its end its error.
        """
        ...

    async def attempt(self, kind: type[Command], payload: object) -> Model:
        """As `perform`, for what may be no such command: this counts against the rate as well.

        Raises `InvalidPayload` where it is none.
        """
        ...

    def heard(self) -> AsyncIterator[Event | Signal]:
        """What is told to the participant, and from `to_seq + 1` on in each room that was joined.

        Durable events of a session come once, in the order of `seq`. To be iterated once, by one
        task. Raises the error of `end`, after all that came before it where it says that the server
        drains.
        """
        ...

    async def end(self) -> ChatError:
        """Returns when the connection must be closed, with the reason: `TokenExpired`,

        `TokenRevoked`, `Draining`, or `SlowConsumer` where too much waits to be heard.
        """
        ...


class Visitors(Protocol):
    def admit(self, token: str, address: str | None) -> AbstractAsyncContextManager[Visitor]:
        """A connection from `address` for as long as the context lasts; None: counted already.

        Raises `Unauthorized` and its kind, `TooManyConnections`, `Draining`, `Unavailable`.
        """
        ...
