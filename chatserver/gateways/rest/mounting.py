"""An API as a part of an aiohttp application."""

from aiohttp import hdrs, web

from chatserver.chat.models import Participant
from chatserver.gateways.cors import cors
from chatserver.gateways.rest.bounds import Bounds
from chatserver.gateways.rest.dispatch import Dispatcher
from chatserver.gateways.rest.routes import Api
from chatserver.gateways.rest.streaming import answer_live


def mount(
    app: web.Application, api: Api, bounds: Bounds, *, guest: Participant | None = None
) -> None:
    """Adds its routes. Callers without a token act as `guest`, or get nothing that needs one."""
    dispatcher = Dispatcher(api, bounds, guest)
    part = web.Application(
        middlewares=[answer_live, cors(bounds.allowed_origins), dispatcher.boundary]
    )
    for route in api.routes:
        handler = dispatcher.handler(route)
        part.router.add_route(route.method, route.path, handler)
        if route.method == hdrs.METH_GET:
            part.router.add_route(hdrs.METH_HEAD, route.path, handler)
    app.add_subapp(api.prefix, part)
