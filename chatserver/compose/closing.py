"""Ending what was made."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol


class Closing(Protocol):
    async def close(self) -> None: ...


async def close_all(parts: Sequence[Closing]) -> None:
    """In their order. One that cannot be closed keeps none of the others open."""
    async with AsyncExitStack() as stack:
        for part in reversed(parts):
            stack.push_async_callback(part.close)
