"""Errors as `application/problem+json` (RFC 9457)."""

import math
from http import HTTPStatus

import orjson
from aiohttp import web

from chatserver.chat.errors import (
    ChatError,
    Conflict,
    Forbidden,
    Internal,
    InvalidPayload,
    LimitReached,
    NotFound,
    NotMember,
    PayloadTooLarge,
    QuotaExceeded,
    RateLimited,
    Temporary,
    Unauthorized,
)
from chatserver.chat.models import Model

PROBLEM_JSON = "application/problem+json"


class Malformed(InvalidPayload):
    """The request is not even JSON."""


class TokenMissing(Unauthorized):
    """No bearer token came with the request."""


class UnsupportedMediaType(InvalidPayload):
    """The body is of another type than JSON."""


class NotAcceptable(InvalidPayload):
    """The client accepts nothing that the route can answer with."""


class MethodNotAllowed(InvalidPayload):
    """The resource exists and knows no such method."""


STATUS: dict[type[ChatError], HTTPStatus] = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    InvalidPayload: HTTPStatus.UNPROCESSABLE_ENTITY,
    Malformed: HTTPStatus.BAD_REQUEST,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotFound: HTTPStatus.NOT_FOUND,
    NotMember: HTTPStatus.FORBIDDEN,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    LimitReached: HTTPStatus.CONFLICT,
    QuotaExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    Temporary: HTTPStatus.SERVICE_UNAVAILABLE,
    Internal: HTTPStatus.INTERNAL_SERVER_ERROR,
    ChatError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error class and of those below it that have none of their own."""


class Problem(Model):
    """What went wrong. `code` is stable and for programs; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    field: str | None = None
    retry_after_ms: int | None = None
    correlation_id: str | None = None
    waiting: int | None = None


def status_of(error: type[ChatError]) -> HTTPStatus:
    status = next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)
    if status is HTTPStatus.CONFLICT and error.retryable:
        # A limit that waiting lifts; the others stand until the client gives something up.
        return HTTPStatus.TOO_MANY_REQUESTS
    return status


def problem_response(error: ChatError) -> web.Response:
    status = status_of(type(error))
    problem = Problem(
        type=f"urn:chatserver:problem:{error.code}",
        title=error.code.replace("_", " ").capitalize(),
        status=status,
        detail=error.message,
        code=error.code,
        retryable=error.retryable,
        field=error.field,
        retry_after_ms=error.retry_after_ms,
        correlation_id=error.correlation_id,
        waiting=error.waiting,
    )
    return web.Response(
        status=status,
        body=orjson.dumps(problem.model_dump(mode="json", exclude_none=True)),
        content_type=PROBLEM_JSON,
        headers=_headers(error, status),
    )


def _headers(error: ChatError, status: HTTPStatus) -> dict[str, str]:
    if status is HTTPStatus.UNAUTHORIZED:
        # RFC 6750, 3.1: `invalid_token` is said only to those who brought one.
        reason = "" if isinstance(error, TokenMissing) else ' error="invalid_token"'
        return {"WWW-Authenticate": f"Bearer{reason}"}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return {"Retry-After": str(max(1, math.ceil((error.retry_after_ms or 0) / 1000)))}
    return {}


def rate_limited(wait: float) -> RateLimited:
    return RateLimited(
        "too many requests; wait a moment", retry_after_ms=max(1, math.ceil(wait * 1000))
    )
