"""The chats as a part of an aiohttp application."""

from aiohttp import web

from chatserver.chat.rooms import ANYBODY
from chatserver.gateways.chats.table import API
from chatserver.gateways.rest.bounds import Bounds
from chatserver.gateways.rest.mounting import mount


def setup(app: web.Application, *, bounds: Bounds, guests: bool) -> None:
    """Adds the routes below `/chats`; `bounds` are the REST gateway's.

    With `guests`, those who bring no token share the chats of `ANYBODY`.
    """
    mount(app, API, bounds, guest=ANYBODY if guests else None)
