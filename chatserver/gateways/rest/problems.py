"""Errors as `application/problem+json` (RFC 9457)."""

from http import HTTPStatus

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
    Temporary,
    Unauthorized,
)
from chatserver.gateways.contracts.errors import ErrorDetails
from chatserver.gateways.rest.refusals import (
    Malformed,
    MethodNotAllowed,
    NotAcceptable,
    UnsupportedMediaType,
)
from chatserver.gateways.rest.styles import ErrorStyle

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


class Problem(ErrorDetails):
    """What went wrong. `code` is stable and for programs; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str


def _problem(error: ChatError, status: HTTPStatus) -> Problem:
    return Problem(
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


PROBLEMS = ErrorStyle(Problem, "application/problem+json", STATUS, _problem)
