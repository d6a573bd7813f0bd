"""Reading a request's JSON body, with a bound on everything that a client can make large."""

import asyncio
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from chatserver.chat.errors import PayloadTooDeep, PayloadTooLarge
from chatserver.gateways.rest.refusals import Malformed, UnsupportedMediaType

BODY_SECONDS = 30.0
"""How long a client may take to send what it announced."""


async def read_object(
    request: web.Request, *, limit: int, depth: int, required: bool
) -> dict[str, Any]:
    """The JSON object that a request carries; an empty one where nothing came and nothing must.

    Raises `UnsupportedMediaType`, `PayloadTooLarge`, `Malformed`, `PayloadTooDeep`.
    """
    if not request.can_read_body and not required:
        return {}
    if request.content_type != "application/json":
        raise UnsupportedMediaType("the body must be application/json")
    payload = decode(await _read(request, limit))
    if not isinstance(payload, dict):
        raise Malformed("the body must be a JSON object")
    require_depth(payload, depth)
    return payload


def decode(raw: bytes) -> Any:
    """Strict JSON: UTF-8, no NaN, no half surrogate pairs. Raises `Malformed`, `PayloadTooDeep`."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as refused:
        if "depth limit" in str(refused):  # orjson's own, above any that operators choose
            raise PayloadTooDeep("the body is nested too deeply") from None
        raise Malformed("the body is not JSON") from None


def require_depth(payload: Any, depth: int) -> None:
    """Raises `PayloadTooDeep`. Goes level by level: deep nesting costs no stack here."""
    level = [payload]
    for _ in range(depth):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise PayloadTooDeep(f"the body may be nested at most {depth} levels deep")


async def _read(request: web.Request, limit: int) -> bytes:
    """At most `limit` bytes, counted after decompression."""
    if (request.content_length or 0) > limit:
        raise PayloadTooLarge(f"the body may have at most {limit} bytes")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > limit:
                    raise PayloadTooLarge(f"the body may have at most {limit} bytes")
    except TimeoutError:
        raise Malformed("the body did not arrive in time") from None
    except (HttpProcessingError, web.RequestPayloadError):
        raise Malformed("the body is not encoded as announced") from None
    return bytes(raw)
