"""Which pages of other origins may read the answers of the REST gateway."""

from collections.abc import Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Cache-Control, Content-Type, Last-Event-ID"
EXPOSED = "Location, Retry-After, WWW-Authenticate"
PREFLIGHT_SECONDS = "600"


def cors(allowed_origins: Iterable[str]) -> Middleware:
    """Lets the pages of `allowed_origins` in (`*`: of all), and no others but our own.

    Credentials are bearer tokens, which a browser never adds by itself: there is nothing that a
    forged request could ride on, so refusing to let pages read the answers is all that is needed.
    """
    allowed = frozenset(allowed_origins)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not ({origin, "*"} & allowed):
            return _varied(await handler(request), allowed)
        asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if request.method == hdrs.METH_OPTIONS and asked:
            response: web.StreamResponse = web.Response(status=204)
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = METHODS
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = HEADERS
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = PREFLIGHT_SECONDS
        else:
            response = await handler(request)
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        return _varied(response, allowed)

    return middleware


def _varied(response: web.StreamResponse, allowed: frozenset[str]) -> web.StreamResponse:
    # A cache must not give one origin the answer, or the lack of one, that was meant for another.
    if allowed:
        others = response.headers.get(hdrs.VARY)
        response.headers[hdrs.VARY] = f"{others}, {hdrs.ORIGIN}" if others else hdrs.ORIGIN
    return response
