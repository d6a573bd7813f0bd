"""The one boundary between HTTP and the use cases: checks, authenticates, calls, maps errors."""

import secrets
from typing import Any

import orjson
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from chatserver.chat.commands import parse
from chatserver.chat.errors import (
    ChatError,
    Forbidden,
    Internal,
    NotFound,
    PayloadTooLarge,
)
from chatserver.chat.models import Model, Participant
from chatserver.gateways.callers import caller
from chatserver.gateways.rest.accepting import EVENT_STREAM, JSON, preferred
from chatserver.gateways.rest.bodies import read_object
from chatserver.gateways.rest.bounds import Bounds
from chatserver.gateways.rest.given import bearer, headers_of, query_of
from chatserver.gateways.rest.refusals import (
    MethodNotAllowed,
    NotAcceptable,
    rate_limited,
)
from chatserver.gateways.rest.routes import Answer, Api, Call, Route, Stream
from chatserver.observability.crashes import traced
from chatserver.origins import is_own_or_allowed

OPERATION = web.RequestKey("operation", str)
VARIES = web.RequestKey("varies", bool)
"""Whether the answer depends on what is accepted."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Where `guest` is given, callers without a token act as that participant."""

    def __init__(self, api: Api, bounds: Bounds, guest: Participant | None = None) -> None:
        self._api = api
        self._bounds = bounds
        self._services = bounds.services
        self._guest = guest

    def handler(self, route: Route) -> Handler:
        """An aiohttp handler that raises `ChatError`; `boundary` answers those."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request[OPERATION] = route.name
            request[VARIES] = route.stream is not None
            call, stream = await self._call(route, request)
            if stream is not None:
                return await stream.open(call)
            return _response(await route.handler(call), self._api.prefix)

        return handle

    @web.middleware
    async def boundary(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers every error below the prefix, aiohttp's own included, in the style of the API."""
        response = await self._answered(request, handler)
        if request.get(VARIES):
            response.headers[hdrs.VARY] = hdrs.ACCEPT
        self._bounds.observe(request.get(OPERATION, "none"), response.status)
        return response

    async def _call(self, route: Route, request: web.Request) -> tuple[Call, Stream | None]:
        """With the stream, where that is wanted."""
        # Who is not known or asks too often is refused before any of the request is looked at.
        subscriber = caller(request, self._bounds.trusted_proxies)
        identity, guest, token = None, None, ""
        if route.authenticated:
            if self._guest is not None and hdrs.AUTHORIZATION not in request.headers:
                guest = self._admitted(self._guest, request)
                self._count(subscriber)
            else:
                token = bearer(request)
                identity = await self._services.chat.authenticate(token)
                self._count(identity.participant.id)
        stream = _wanted_stream(route, request)
        call = Call(
            services=self._services,
            values=await self._values(route, stream, request),
            subscriber=subscriber,
            identity=identity,
            guest=guest,
            token=token,
        )
        return call, stream

    def _admitted(self, guest: Participant, request: web.Request) -> Participant:
        # Without a token there is nothing that a page of another origin would have to know.
        origin = request.headers.get(hdrs.ORIGIN)
        allowed = self._bounds.allowed_origins
        if origin is not None and not is_own_or_allowed(origin, request.host, allowed):
            raise Forbidden("pages of this origin may not do this")
        return guest

    def _count(self, key: str) -> None:
        wait = self._bounds.request_rate.take(key)
        if wait:
            raise rate_limited(wait)

    async def _values(
        self, route: Route, stream: Stream | None, request: web.Request
    ) -> dict[str, Any]:
        values = _given(parse(route.params, dict(request.match_info)))
        query = route.query if stream is None else stream.query
        if query is not None:
            values |= _given(parse(query, query_of(request)))
        if stream is not None:
            values |= _given(parse(stream.headers, headers_of(request, stream.headers)))
        if route.body is not None:
            payload = await read_object(
                request,
                limit=self._bounds.body_bytes,
                depth=self._bounds.json_depth,
                required=route.needs_body,
            )
            values |= _given(parse(route.body, payload))
        return values

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        errors = self._api.errors
        try:
            return await handler(request)
        except ChatError as refused:
            return errors.response(refused)
        except web.HTTPException as raised:
            response = errors.response(_from_aiohttp(raised))
            if isinstance(raised, web.HTTPMethodNotAllowed):
                response.headers[hdrs.ALLOW] = raised.headers[hdrs.ALLOW]
            return response
        except Exception as crash:
            return errors.response(internal(crash, request))


def _from_aiohttp(raised: web.HTTPException) -> ChatError:
    if isinstance(raised, web.HTTPMethodNotAllowed):
        return MethodNotAllowed("there is no such method here")
    if isinstance(raised, web.HTTPRequestEntityTooLarge):
        return PayloadTooLarge("the body is too large")
    if isinstance(raised, web.HTTPNotFound):
        return NotFound("there is nothing here")
    raise raised


def internal(crash: Exception, request: web.Request) -> Internal:
    correlation_id = secrets.token_hex(8)
    resource = request.match_info.route.resource
    log.error(
        "request_crashed",
        correlation_id=correlation_id,
        method=request.method,
        route=resource.canonical if resource else None,
        **traced(crash),
    )
    return Internal("something went wrong on our side", correlation_id=correlation_id)


def _wanted_stream(route: Route, request: web.Request) -> Stream | None:
    if route.stream is None:
        return None
    kind = preferred(request.headers.getall(hdrs.ACCEPT, ()), (JSON, EVENT_STREAM))
    if kind is None:
        raise NotAcceptable(f"there is {JSON} here, and {EVENT_STREAM}", field=hdrs.ACCEPT)
    return route.stream if kind == EVENT_STREAM else None


def _given(part: Model) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.model_fields_set}


def _response(answer: Answer, prefix: str) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if answer.location is not None:
        headers[hdrs.LOCATION] = prefix + answer.location
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(
        status=answer.status,
        body=orjson.dumps(answer.body.model_dump(mode="json")),
        content_type="application/json",
        headers=headers,
    )
