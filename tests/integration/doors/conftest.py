from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.integration.doors.chats_client import As, Chats


@pytest.fixture
async def client() -> AsyncIterator[As]:
    """Makes clients of `/chats`."""
    async with ClientSession() as http:
        yield lambda running, **who: Chats(http, running.url, **who)
