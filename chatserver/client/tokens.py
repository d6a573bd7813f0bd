"""Getting and renewing tokens over REST."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.models import Token
from chatserver.client.backoff import Backoff
from chatserver.client.errors import ClientError, NotConnected, refusal
from chatserver.client.wire import read

log = logging.getLogger("chatserver.client")

TIMEOUT = aiohttp.ClientTimeout(total=10)
RENEW_RETRY_SECONDS = 5.0
RENEW_RETRY_MAX_SECONDS = 60.0
UNKNOWN_LIFE_SECONDS = 60.0
"""Taken for the life of a renewed token that is over already, by a clock that is wrong."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and for how many seconds it lives from now on."""

    token: str
    seconds: float


class TokenKeeper:
    """The token that one has, or gets with a name; renewed when half of its life is over."""

    def __init__(self, url: str, *, name: str | None, token: str | None) -> None:
        self._url = url
        self._name = name
        self._token = token

    @property
    def token(self) -> str:
        """Raises `NotConnected` before there is one."""
        if self._token is None:
            raise NotConnected("there is no token yet")
        return self._token

    async def get(self, http: aiohttp.ClientSession, backoff: Backoff) -> None:
        """Gets one where there is none, until the server gives it. Raises a `ChatError` if it
        never will.
        """
        while self._token is None:
            assert self._name is not None
            try:
                self._token = (await issue(http, self._url, self._name)).token
            except ChatError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(backoff.next((error.retry_after_ms or 0) / 1000))
            except NotConnected:
                await asyncio.sleep(backoff.next())

    async def keep(self, http: aiohttp.ClientSession) -> None:
        """Renews at half-life. The first renewal tells how long that is.

        Whatever goes wrong, it is tried again, until the token itself is refused.
        """
        clock, ends = asyncio.get_running_loop().time, None
        backoff = Backoff(first=1.0, cap=RENEW_RETRY_MAX_SECONDS)
        while True:
            asked_for = 0.0
            try:
                renewed = await renew(http, self._url, self.token)
            except Unauthorized:
                # The connection will hear of it too, and give up.
                return
            except ClientError as error:
                log.debug("renewing the token: %s", error)
            except ChatError as error:
                log.debug("renewing the token: %s", error)
                asked_for = (error.retry_after_ms or 0) / 1000
            else:
                backoff.reset()
                ends = clock() + renewed.seconds
                await asyncio.sleep(half_life(renewed.seconds))
                continue
            pause = retry_pause(backoff.next(), None if ends is None else ends - clock())
            await asyncio.sleep(asked_for + pause)


def half_life(seconds: float) -> float:
    """Half of what is left of a token's life, in seconds; at least one."""
    return max(1.0, seconds / 2)


def retry_pause(pause: float, left: float | None) -> float:
    """Seconds until the next try: less as the token's life ends, so that one comes in time."""
    if left is None:
        return pause
    return min(pause, max(RENEW_RETRY_SECONDS, half_life(left)))


async def issue(http: aiohttp.ClientSession, url: str, name: str) -> Granted:
    """A guest's token. Raises a `ChatError` where refused, `NotConnected` where nobody answers."""
    return await _post(http, f"{url}/api/v1/tokens", json={"name": name})


async def renew(http: aiohttp.ClientSession, url: str, token: str) -> Granted:
    """The same token with a full life ahead. Raises like `issue`."""
    headers = {"Authorization": f"Bearer {token}"}
    return await _post(http, f"{url}/api/v1/tokens/renew", headers=headers)


async def _post(http: aiohttp.ClientSession, url: str, **options: Any) -> Granted:
    try:
        async with http.post(url, timeout=TIMEOUT, **options) as answer:
            body = await answer.json(content_type=None)
            if answer.status >= 400:
                raise refusal(_problem(body, answer.status))
            token = read(Token, body)
            left = token.expires_at - _said_at(answer)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NotConnected(f"no usable answer from {url}: {error}") from error
    seconds = left.total_seconds()
    return Granted(token.token, seconds if seconds > 0 else UNKNOWN_LIFE_SECONDS)


def _said_at(answer: aiohttp.ClientResponse) -> datetime:
    """When, by the clock that tokens expire by: ours, perhaps a wrong one, if it does not say."""
    try:
        said = parsedate_to_datetime(answer.headers["Date"])
    except (LookupError, ValueError, OverflowError):
        return datetime.now(UTC)
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _problem(body: Any, status: int) -> dict[str, Any]:
    """A problem+json document (RFC 9457) in the words of an ack's `error`."""
    problem = body if isinstance(body, dict) else {}
    return {
        "message": problem.get("detail") or problem.get("title") or f"HTTP {status}",
        "retryable": status in (429, 502, 503, 504),
        "code": "unavailable" if status in (502, 503, 504) else "internal",
        **{key: value for key, value in problem.items() if value is not None},
    }
