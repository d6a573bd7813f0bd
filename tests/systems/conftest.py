"""The five systems that this project grew from, each by a client that knows its interface alone.

The clients use `websockets` and `aiohttp` and nothing of ours. A test is one line of a checklist.
"""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def ws(url: str, path: str) -> str:
    """A WebSocket's address on the server at `url`."""
    return url.replace("http", "ws", 1) + path
