"""Participants for the load: guests' tokens over REST, as any client gets them."""

import asyncio

import aiohttp

from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.target import Target

AT_ONCE = 20
SECONDS = 30.0


async def issue(target: Target, count: int) -> list[str]:
    """Tokens of `count` new guests.

    Raises `LoadError`: `too_many_tokens`, `unreachable`, or `http_…` with the status.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, headers={"Host": target.host}) as http:

        async def one(number: int) -> str:
            async with gate:
                return await _issue(http, target, f"bench {number}")

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number)) for number in range(count)]
        # Not `except*`: what it raises may come out in a group of its own.
        except ExceptionGroup as errors:
            first = _first(errors)
            if isinstance(first, aiohttp.ClientError | TimeoutError | OSError):
                unreachable = f"{target.base} does not answer: {first}"
                raise LoadError("unreachable", unreachable) from None
            raise first from None
        return [task.result() for task in tasks]


async def _issue(http: aiohttp.ClientSession, target: Target, name: str) -> str:
    async with http.post(
        f"{target.base}/api/v1/tokens",
        json={"name": name},
        server_hostname=target.name if target.secure else None,
    ) as answer:
        if answer.status == 429:
            raise LoadError("too_many_tokens", "the server gives this address no more tokens now")
        if answer.status >= 400:
            raise LoadError(f"http_{answer.status}", f"no token: {(await answer.text())[:200]}")
        return str((await answer.json())["token"])


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    found: Exception = errors
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
