"""Every route, once. The server and the contract are both made of this."""

from dataclasses import replace

from chatserver.gateways.rest import contract, members, messages, replies, sessions, tokens
from chatserver.gateways.rest.problems import PROBLEMS
from chatserver.gateways.rest.routes import PREFIX, Api, Route

NOUNS = {
    "tokens": tokens.ROUTES,
    "sessions": sessions.ROUTES,
    "members": members.ROUTES,
    "messages": messages.ROUTES,
    "replies": replies.ROUTES,
    "contract": contract.ROUTES,
}

ROUTES: tuple[Route, ...] = tuple(
    replace(route, noun=noun) for noun, routes in NOUNS.items() for route in routes
)

API = Api(PREFIX, ROUTES, PROBLEMS)
