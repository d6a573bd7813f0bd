"""HTTP connections of a server that is about to stop."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import hdrs, web


def setup(app: web.Application, is_leaving: Callable[[], bool]) -> None:
    """Lets every answer be the last of its connection, once `is_leaving`.

    Or a proxy would send its next request just as the connection is closed, and could not know
    whether it was served.
    """

    async def end(_: web.Request, response: web.StreamResponse) -> None:
        if is_leaving() and response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    app.on_response_prepare.append(end)
