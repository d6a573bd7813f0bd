"""Recognises failures in what endpoints say, OpenAI's and those that only resemble it.

And in how the connections to them end.
"""

import re
from datetime import UTC, datetime
from typing import Any

import httpx2
from openai import APIStatusError

from chatserver.bots.openai.failures import (
    BadRequest,
    ContextTooLong,
    Cut,
    Failure,
    NotConfigured,
    OutputLimit,
    QuotaSpent,
    RateLimited,
    Refused,
    ServerFault,
    UnknownLimit,
    Unreachable,
)
from chatserver.bots.openai.retry import retry_after

_TOO_LONG = re.compile(
    r"context.?(length|size|window)|prompt is too long|too many (input )?tokens", re.IGNORECASE
)
"""Codes, types and messages; the endpoints agree on none of them."""

_STATED = re.compile(r"context (?:length|size|window)\D{0,20}(\d{1,9})\b|> (\d{1,9}) maximum")
"""The limit, as OpenAI and vLLM, llama.cpp and Anthropic put it in words."""

_OUTPUT_LIMIT = re.compile(r"output limit|max_(completion_)?tokens", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"unsupported.?parameter|unrecogni[sz]ed|unknown (name|field|parameter|argument)"
    r"|extra.(inputs|forbidden)|tokens\W{0,2} is not supported|use \W?max_(completion_)?tokens",
    re.IGNORECASE,
)
"""Of a field: the endpoint minds that it is there, not its value."""

_SAFE_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def failure_of_status(error: APIStatusError) -> Failure:
    """What a response with an error status means. The endpoint's words stay out of it."""
    headers = error.response.headers
    pause = retry_after(headers.get("retry-after"), datetime.now(UTC))
    failure = _failure(error.status_code, error.body, pause)
    request_id = _safe(error.request_id)
    if request_id:
        failure.add_note(f"request {request_id}")
    return failure


def failure_in_stream(error: Any) -> Failure:
    """What an error object in the place of a chunk means.

    Its code is a status at some endpoints and a word at others; without a status it is taken for
    the server's fault.
    """
    code = str(_field(error, "code"))
    if re.fullmatch(r"[45]\d\d", code):
        return _failure(int(code), error, None)
    own_fault = code == "content_filter" or _too_long(error)
    return _failure(400 if own_fault else 500, error, None)


def failure_of_connection(error: BaseException) -> Failure:
    # The words of a protocol error quote what was received or sent, a header with the key included.
    name = type(error.__cause__ or error).__name__
    if isinstance(error, httpx2.ConnectError):
        return Unreachable(f"{name}: {error}")
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError):
        return Unreachable(name)
    if isinstance(
        error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.TooManyRedirects
    ):
        return NotConfigured(name)
    return Cut(name)


def _failure(status: int, error: Any, pause: float | None) -> Failure:
    detail = f"status {status}, code {_safe(_field(error, 'code')) or 'none'}"
    match status:
        case 401 | 403 | 404 | 405:
            return NotConfigured(detail)
        case 402:
            return QuotaSpent(detail)
        case 413:
            return ContextTooLong(detail, _stated(error))
        case 429 if "insufficient_quota" in (_field(error, "code"), _field(error, "type")):
            return QuotaSpent(detail)
        case 429:
            return RateLimited(detail, pause)
        case 400 | 422 if _too_long(error):
            return ContextTooLong(detail, _stated(error))
        case 400 | 422 if _unknown_limit(error):
            return UnknownLimit(detail)
        case 400 if _OUTPUT_LIMIT.search(_words(error)):
            return OutputLimit(detail)
        case 408 | 409:
            return ServerFault(detail, pause)
        case 400 | 422 if _field(error, "code") != "content_filter":
            return BadRequest(detail)
        case _ if status < 500:
            return Refused(detail)
        case _:
            return ServerFault(detail, pause)


def _too_long(error: Any) -> bool:
    return bool(_TOO_LONG.search(_words(error)))


def _unknown_limit(error: Any) -> bool:
    words = _words(error)
    return bool(_OUTPUT_LIMIT.search(words) and _UNKNOWN.search(words))


def _stated(error: Any) -> int | None:
    found = _STATED.search(_words(error))
    return None if found is None else int(found[1] or found[2])


def _words(error: Any) -> str:
    if isinstance(error, str):
        return error
    return " ".join(str(_field(error, name)) for name in ("code", "type", "param", "message"))


def _field(error: Any, name: str) -> Any:
    if not isinstance(error, dict):
        return None
    inner = error.get("error")
    return inner.get(name) if isinstance(inner, dict) else error.get(name)


def _safe(word: Any) -> str:
    """The word, if it can only be an identifier; else nothing."""
    text = str(word) if isinstance(word, str | int) else ""
    return text if _SAFE_CODE.fullmatch(text) else ""
