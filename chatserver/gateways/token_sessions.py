"""A token is a session: `/token`, `/refresh_token` and `/test`, as clients of FastAPI know them.

Errors are `{"detail": …}`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError

from chatserver.addresses import Network
from chatserver.chat.commands import MAX_PAGE, GetHistory, Name
from chatserver.chat.errors import ChatError, LimitReached, NotFound, Temporary, Unauthorized
from chatserver.chat.models import Event, EventType, Identity, Model, Participant, Session
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.callers import caller, count
from chatserver.gateways.cors import cors
from chatserver.gateways.handshakes import crashed, retry_after

HISTORY_EVENTS = 1_000
"""The newest events of a session, whose messages are shown."""

NAME: TypeAdapter[str] = TypeAdapter(Name)


class Said(Model):
    id: str
    msg: str
    timestamp: datetime
    sender: Participant


class TokenSession(Model):
    name: str
    token: str
    session_start: datetime
    messages: list[Said]


class Refused(Exception):
    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None):
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


Route = Callable[[web.Request], Awaitable[bytes]]
"""Answers with JSON. Raises `Refused`, or a `ChatError`."""


class TokenSessions:
    def __init__(
        self,
        chat: ChatService,
        token_rate: RateLimiter,
        request_rate: RateLimiter,
        trusted_proxies: Sequence[Network],
    ) -> None:
        self._chat = chat
        self._token_rate = token_rate
        self._request_rate = request_rate
        self._trusted = trusted_proxies

    async def test(self, _: web.Request) -> bytes:
        return orjson.dumps({"msg": "API is Online"})

    async def token(self, request: web.Request) -> bytes:
        name = _name(_parameter(request, "name"))
        count(self._token_rate, caller(request, self._trusted))
        issued = await self._chat.issue_token(name)
        identity = await self._chat.authenticate(issued.token)
        session = await self._chat.own_session(identity)
        return _shown(identity, issued.token, session, [])

    async def refresh_token(self, request: web.Request) -> bytes:
        token = _parameter(request, "token")
        try:
            identity = await self._chat.authenticate(token)
            count(self._request_rate, identity.participant.id)
            session = await self._chat.own_session(identity)
            messages = await self._messages(identity.participant, session)
        except (Unauthorized, NotFound):
            raise Refused(400, "Session expired or does not exist") from None
        return _shown(identity, token, session, messages)

    async def _messages(self, who: Participant, session: Session) -> list[Said]:
        """In order."""
        before, newest_first = session.last_seq + 1, []
        for _ in range(HISTORY_EVENTS // MAX_PAGE):
            page = GetHistory(session_id=session.id, before_seq=before, limit=MAX_PAGE)
            history = await self._chat.get_history(who, page)
            newest_first += [_said(event) for event in reversed(history.events) if _is_shown(event)]
            if history.complete:
                break
            before = history.events[0].seq
        return newest_first[::-1]


def setup(
    app: web.Application,
    *,
    chat: ChatService,
    token_rate: RateLimiter,
    request_rate: RateLimiter,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Iterable[str] = (),
) -> None:
    """Adds `/test`, `/token` and `/refresh_token`.

    `token_rate` counts new tokens by address, `request_rate` looks at sessions by participant.
    """
    door = TokenSessions(chat, token_rate, request_rate, trusted_proxies)
    let_in = cors(allowed_origins)

    def add(path: str, route: Route, *methods: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.method == hdrs.METH_OPTIONS:  # and no preflight that is let in
                raise web.HTTPMethodNotAllowed(request.method, methods)
            return await _answered(request, route)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await let_in(request, answer)

        for method in (*methods, hdrs.METH_OPTIONS):
            app.router.add_route(method, path, handle)

    add("/test", door.test, hdrs.METH_GET, hdrs.METH_HEAD)
    add("/token", door.token, hdrs.METH_POST)
    add("/refresh_token", door.refresh_token, hdrs.METH_GET, hdrs.METH_POST)


async def _answered(request: web.Request, route: Route) -> web.Response:
    try:
        return _json(200, await route(request))
    except Refused as refused:
        return _json(refused.status, orjson.dumps({"detail": refused.detail}), refused.headers)
    except ChatError as refused:
        detail = orjson.dumps({"detail": refused.message})
        return _json(_status(refused), detail, retry_after(refused))
    except Exception as crash:
        return _json(500, orjson.dumps({"detail": crashed(request, crash).text}))


def _json(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-store", **(headers or {})},
    )


def _status(error: ChatError) -> int:
    if isinstance(error, Temporary):
        return 503
    return 429 if isinstance(error, LimitReached) and error.retryable else 400


def _parameter(request: web.Request, name: str) -> str:
    """Of the query."""
    if name not in request.query:
        raise Refused(422, [_mistake(name, "missing", "Field required")])
    return request.query[name]


def _name(given: str) -> str:
    if not given.strip():
        raise Refused(400, {"loc": "name", "msg": "Enter a valid name"})
    try:
        return NAME.validate_python(given)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_context=False, include_input=False)
        raise Refused(422, [_mistake("name", e["type"], e["msg"]) for e in found]) from None


def _mistake(parameter: str, kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "loc": ["query", parameter], "msg": message}


def _is_shown(event: Event) -> bool:
    return event.type is EventType.MESSAGE_CREATED and bool(event.data["text"])


def _said(event: Event) -> Said:
    text, at = event.data["text"], event.created_at
    return Said(id=str(event.seq), msg=text, timestamp=at, sender=event.sender)


def _shown(who: Identity, token: str, session: Session, messages: list[Said]) -> bytes:
    name, start = who.participant.name, session.created_at
    return TokenSession(name=name, token=token, session_start=start, messages=messages).encoded
