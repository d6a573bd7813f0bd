"""Getting and renewing tokens over REST."""

from typing import Any

import aiohttp

from chatserver.chat.models import Token
from chatserver.client.errors import NotConnected, refusal
from chatserver.client.wire import read

TIMEOUT = aiohttp.ClientTimeout(total=10)


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
