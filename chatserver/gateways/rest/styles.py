"""How a door words its errors: the statuses, and what stands in the body."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Model
from chatserver.gateways.rest.refusals import TokenMissing


@dataclass(frozen=True, slots=True, eq=False)
class ErrorStyle:
    """`statuses` hold for an error class and for those below it that have none of their own."""

    model: type[Model]
    media_type: str
    statuses: Mapping[type[ChatError], HTTPStatus]
    body: Callable[[ChatError, HTTPStatus], Model]

    def status_of(self, error: type[ChatError]) -> HTTPStatus:
        status = next(self.statuses[cls] for cls in error.__mro__ if cls in self.statuses)
        if status is HTTPStatus.CONFLICT and error.retryable:
            # A limit that waiting lifts; the others stand until the client gives something up.
            return HTTPStatus.TOO_MANY_REQUESTS
        return status

    def response(self, error: ChatError) -> web.Response:
        status = self.status_of(type(error))
        body = self.body(error, status)
        return web.Response(
            status=status,
            body=orjson.dumps(body.model_dump(mode="json", exclude_none=True)),
            content_type=self.media_type,
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
