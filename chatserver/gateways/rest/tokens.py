"""Tokens: getting one, renewing it, making it worthless, and whose it is."""

from datetime import datetime

from chatserver.chat.commands import Name
from chatserver.chat.errors import RateLimited
from chatserver.chat.models import Model, Participant, Token
from chatserver.gateways.rest.parts import Body
from chatserver.gateways.rest.refusals import rate_limited
from chatserver.gateways.rest.routes import Answer, Call, Route


class NewToken(Body):
    name: Name


class Me(Model):
    participant: Participant
    expires_at: datetime


async def issue(call: Call) -> Answer:
    wait = call.services.token_rate.take(call.subscriber)
    if wait:
        raise rate_limited(wait)
    return Answer(201, await call.chat.issue_token(call.values["name"]))


async def renew(call: Call) -> Answer:
    return Answer(200, await call.chat.renew_token(call.token))


async def revoke(call: Call) -> Answer:
    await call.chat.revoke_token(call.token)
    return Answer(204)


async def me(call: Call) -> Answer:
    caller = call.caller
    return Answer(200, Me(participant=caller.participant, expires_at=caller.expires_at))


ROUTES = (
    Route(
        "POST",
        "/tokens",
        "issue_token",
        "a new participant of this name, with a token that speaks for them",
        issue,
        answers={201: Token},
        errors=(RateLimited,),
        body=NewToken,
        authenticated=False,
    ),
    Route(
        "POST",
        "/tokens/renew",
        "renew_token",
        "the same token with a full life ahead; safe to repeat",
        renew,
        answers={200: Token},
    ),
    Route(
        "DELETE",
        "/tokens/current",
        "revoke_token",
        "makes the token worthless and ends the connections that came with it",
        revoke,
        answers={204: None},
    ),
    Route("GET", "/me", "get_me", "whose token this is, and until when", me, answers={200: Me}),
)
