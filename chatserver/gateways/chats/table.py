"""Every route below `/chats`, once. The server and the contract are both made of this."""

from dataclasses import replace

from chatserver.gateways.chats import chats, messages
from chatserver.gateways.chats.errors import DETAILS
from chatserver.gateways.rest.routes import Api

API = Api(
    "/chats",
    tuple(replace(route, noun="chats") for route in (*chats.ROUTES, *messages.ROUTES)),
    DETAILS,
    token_optional=True,
)
