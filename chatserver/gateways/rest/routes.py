"""What a route is: everything that the server and the contract need to know about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from chatserver.chat.commands import Command, parse
from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.models import Identity, Model, Participant
from chatserver.chat.ports import Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.rest.parts import body_part, path_part, placeholders, query_part
from chatserver.gateways.rest.rounds import Rounds
from chatserver.gateways.rest.styles import ErrorStyle
from chatserver.gateways.rest.waiting import ReplyWaiting

PREFIX = "/api/v1"

C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers work with."""

    chat: ChatService
    waiting: ReplyWaiting
    token_rate: RateLimiter
    contract: Model
    """The OpenAPI document of all routes."""
    event_contract: Model
    """The AsyncAPI document of the events."""
    visitors: Visitors
    rounds: Rounds
    keep_alive_seconds: float
    """After so long without an event, a stream shows that it lives."""
    silence_seconds: float
    """A client that takes nothing of its stream for so long is cut off."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked: `values` holds what the path, the query and the body gave."""

    services: Services
    values: Mapping[str, Any]
    subscriber: str
    """The address by which a caller without a token is counted."""
    identity: Identity | None = None
    guest: Participant | None = None
    """Who a caller without a token acts as, where that is allowed."""
    token: str = ""

    @property
    def chat(self) -> ChatService:
        return self.services.chat

    @property
    def caller(self) -> Identity:
        if self.identity is None:
            raise Unauthorized("a token is needed")
        return self.identity

    @property
    def actor(self) -> Participant:
        return self.guest or self.caller.participant

    @property
    def counted_as(self) -> str:
        """By what the requests of this caller are counted together."""
        return self.subscriber if self.guest else self.caller.participant.id

    def command(self, command: type[C], **defaults: Any) -> C:
        """The values as a command; `defaults` fill what may be left out here but not there."""
        given = {key: value for key, value in self.values.items() if key in command.model_fields}
        return parse(command, defaults | given)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: BaseModel | None = None
    location: str | None = None
    """Where what was made can be found, as a path below the prefix."""


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a route gives those who accept `text/event-stream` rather than JSON."""

    open: Callable[[Call], Awaitable[web.StreamResponse]]
    doc: str
    query: type[Model]
    """In the place of the route's own."""
    headers: type[Model]
    """Those that count, by their names as aliases."""


@dataclass(frozen=True)
class Route:
    """`path` is below the prefix; `answers` are the models by status, None for an empty body."""

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, type[BaseModel] | None]
    errors: tuple[type[ChatError], ...] = ()
    query: type[Model] | None = None
    body: type[Model] | None = None
    stream: Stream | None = None
    authenticated: bool = True
    located: tuple[int, ...] = ()
    """Statuses that come with a `Location`."""
    noun: str = ""
    """What it is about; the contract groups by it."""

    @cached_property
    def params(self) -> type[Model]:
        return path_part(self.path)

    @property
    def needs_body(self) -> bool:
        return self.body is not None and any(
            info.is_required() for info in self.body.model_fields.values()
        )


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """Routes below a prefix, and how their errors are worded."""

    prefix: str
    routes: tuple[Route, ...]
    errors: ErrorStyle
    token_optional: bool = False
    """Operators may let callers in who have none."""


def use_case(
    method: str,
    path: str,
    command: type[C],
    run: Callable[[ChatService, Participant, C], Awaitable[Model]],
    *,
    errors: tuple[type[ChatError], ...] = (),
    status: int = 200,
    changed: Mapping[str, Any] | None = None,
) -> Route:
    """A route that is a command: fields come from the path, the rest from the query or the body.

    The answer is what the command is acked with over Socket.IO, or nothing with status 204.
    """

    async def handler(call: Call) -> Answer:
        result = await run(call.chat, call.actor, call.command(command))
        return Answer(status, None if status == 204 else result)

    rest = command.model_fields.keys() - set(placeholders(path))
    in_query = method in ("GET", "DELETE")
    return Route(
        method,
        path,
        command.name,
        command.doc,
        handler,
        answers={status: None if status == 204 else command.ack},
        errors=errors,
        query=query_part(command, placeholders(path)) if rest and in_query else None,
        body=body_part(command, placeholders(path), changed) if rest and not in_query else None,
    )
