"""The REST gateway as a part of an aiohttp application."""

from collections.abc import Sequence
from functools import cache

from aiohttp import web

from chatserver.addresses import Network
from chatserver.chat.ports import Clock, Store, Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.contracts import asyncapi
from chatserver.gateways.rest.bounds import Bounds, Observer
from chatserver.gateways.rest.contract import Contract, EventContract
from chatserver.gateways.rest.mounting import mount
from chatserver.gateways.rest.openapi import document
from chatserver.gateways.rest.rounds import LOOK_SECONDS, Rounds
from chatserver.gateways.rest.routes import Api, Services
from chatserver.gateways.rest.table import API
from chatserver.gateways.rest.waiting import ReplyWaiting


def setup(
    app: web.Application,
    *,
    chat: ChatService,
    store: Store,
    visitors: Visitors,
    clock: Clock,
    title: str,
    version: str,
    others: tuple[Api, ...] = (),
    token_rate: RateLimiter,
    requests_per_second: float,
    body_bytes: int,
    json_depth: int,
    keep_alive_seconds: float,
    silence_seconds: float,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Sequence[str] = (),
    observe: Observer = lambda operation, status: None,
) -> Bounds:
    """Adds the routes below `/api/v1`. Returns what other APIs of the same server go by, too.

    `token_rate` counts new tokens by address, `requests_per_second` by participant (as many at once
    as in one second). A stream shows that it lives every `keep_alive_seconds`, and whoever takes
    nothing of it for `silence_seconds` is cut off. Requests that wait for a reply are answered when
    the application shuts down. `observe` is told of the operation and the status of every answer.
    The contract describes the `others`, too.
    """
    waiting = ReplyWaiting(chat)
    store.subscribe(waiting.on_commit)
    services = Services(
        chat=chat,
        waiting=waiting,
        token_rate=token_rate,
        contract=_contract((API, *others), title, version),
        event_contract=_event_contract(title, version),
        visitors=visitors,
        rounds=Rounds(min(LOOK_SECONDS, keep_alive_seconds)),
        keep_alive_seconds=keep_alive_seconds,
        silence_seconds=silence_seconds,
    )
    bounds = Bounds(
        services=services,
        request_rate=RateLimiter(requests_per_second, max(1.0, requests_per_second), clock),
        trusted_proxies=trusted_proxies,
        allowed_origins=allowed_origins,
        body_bytes=body_bytes,
        json_depth=json_depth,
        observe=observe,
    )

    async def release(_: web.Application) -> None:
        waiting.close()

    app.on_shutdown.append(release)
    mount(app, API, bounds)
    return bounds


@cache
def _contract(apis: tuple[Api, ...], title: str, version: str) -> Contract:
    """Made once in a process: it takes longer than all the rest of an application."""
    return Contract.model_validate(document(apis, title=title, version=version))


@cache
def _event_contract(title: str, version: str) -> EventContract:
    return EventContract.model_validate(asyncapi.document(title=title, version=version))
