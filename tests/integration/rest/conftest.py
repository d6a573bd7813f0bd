import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chatserver.addresses import parse_networks
from chatserver.chat.limits import Limits
from chatserver.chat.rates import RateLimiter
from chatserver.gateways import rest
from chatserver.store.migrate import migrate
from chatserver.store.sqlite import SqliteStore
from tests.integration.rest.world import Api, Client, NoVisitors, World

LIMITS = Limits(text_chars=1_000, sessions_per_participant=5, members_per_session=4)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = tmp_path / "chat.db"
    await asyncio.to_thread(migrate, f"sqlite:///{database}")
    store = SqliteStore(database, LIMITS)
    store.open()
    yield World(store, LIMITS)
    await store.close()


@pytest.fixture
def serve(
    world: World, aiohttp_client: Callable[..., Awaitable[Client]]
) -> Callable[..., Awaitable[Client]]:
    """Starts a server with other settings than the usual ones."""

    async def start(*, tokens_per_minute: int = 1_000, **settings: Any) -> Client:
        app = web.Application()
        usual: dict[str, Any] = {
            "token_rate": RateLimiter(tokens_per_minute / 60, tokens_per_minute, world.clock),
            "requests_per_second": 1_000.0,
            "body_bytes": 65_536,
            "json_depth": 8,
            "keep_alive_seconds": 25.0,
            "silence_seconds": 45.0,
            "trusted_proxies": parse_networks(["127.0.0.0/8"]),
            "allowed_origins": ["https://friend.example"],
        }
        rest.setup(
            app,
            chat=world.chat,
            store=world.store,
            visitors=NoVisitors(),
            clock=world.clock,
            title="test",
            version="1.2.3",
            **(usual | settings),
        )
        return await aiohttp_client(app)

    return start


@pytest.fixture
async def anonymous(serve: Callable[..., Awaitable[Client]]) -> Api:
    return Api(await serve())


@pytest.fixture
async def ada(anonymous: Api) -> Api:
    return await anonymous.named("Ada")


@pytest.fixture
async def bob(anonymous: Api) -> Api:
    return await anonymous.named("Bob")
