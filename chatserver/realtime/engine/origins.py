"""Which pages may talk to the endpoint, and the CORS headers that let them."""

from collections.abc import Callable

from aiohttp import hdrs, web

AllowsOrigin = Callable[[str, web.Request], bool]


def is_refused(request: web.Request, allows: AllowsOrigin) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    return bool(origin) and not allows(str(origin), request)


def cors_headers(request: web.Request) -> dict[str, str]:
    """For the answer to a request that was not refused."""
    origin = request.headers.get(hdrs.ORIGIN)
    if not origin:
        return {}
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
        hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS: "true",
        hdrs.VARY: hdrs.ORIGIN,
    }
    if request.method == hdrs.METH_OPTIONS:
        headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "OPTIONS, GET, POST"
        asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
        if asked:
            headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = asked
    return headers
