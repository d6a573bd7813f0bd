"""Getting and renewing tokens over REST."""

import asyncio
import logging
from datetime import UTC, datetime
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
        renewed: Token | None = None
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
                await asyncio.sleep(half_life(renewed, datetime.now(UTC)))
                continue
            pause = retry_pause(backoff.next(), renewed, datetime.now(UTC))
            await asyncio.sleep(asked_for + pause)


def half_life(token: Token, now: datetime) -> float:
    """Seconds until half of what is left of the token's life is over; at least one."""
    return max(1.0, (token.expires_at - now).total_seconds() / 2)


def retry_pause(pause: float, token: Token | None, now: datetime) -> float:
    """Seconds until the next try: less as the token's life ends, so that one comes in time."""
    if token is None:
        return pause
    return min(pause, max(RENEW_RETRY_SECONDS, half_life(token, now)))


async def issue(http: aiohttp.ClientSession, url: str, name: str) -> Token:
    """A guest's token. Raises a `ChatError` where refused, `NotConnected` where nobody answers."""
    return await _post(http, f"{url}/api/v1/tokens", json={"name": name})


async def renew(http: aiohttp.ClientSession, url: str, token: str) -> Token:
    """The same token with a full life ahead. Raises like `issue`."""
    headers = {"Authorization": f"Bearer {token}"}
    return await _post(http, f"{url}/api/v1/tokens/renew", headers=headers)


async def _post(http: aiohttp.ClientSession, url: str, **options: Any) -> Token:
    try:
        async with http.post(url, timeout=TIMEOUT, **options) as answer:
            body = await answer.json(content_type=None)
            if answer.status >= 400:
                raise refusal(_problem(body, answer.status))
            return read(Token, body)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NotConnected(f"no usable answer from {url}: {error}") from error


def _problem(body: Any, status: int) -> dict[str, Any]:
    """A problem+json document (RFC 9457) in the words of an ack's `error`."""
    problem = body if isinstance(body, dict) else {}
    return {
        "message": problem.get("detail") or problem.get("title") or f"HTTP {status}",
        "retryable": status in (429, 502, 503, 504),
        "code": "unavailable" if status in (502, 503, 504) else "internal",
        **{key: value for key, value in problem.items() if value is not None},
    }
