"""Asking the server: once, or until there is an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from chatserver.chat.errors import ChatError, PayloadTooLarge
from chatserver.client.backoff import Backoff
from chatserver.client.errors import ConnectionLost, NotAcknowledged
from chatserver.client.link import Link

ENVELOPE_BYTES = 64
"""What a packet adds to an event's name and payload, at the most."""
CALL_SECONDS = 30.0
"""Longest that a call takes with all its repeats."""


class Calls:
    """The three ways of sending an event on a connection that may be lost."""

    def __init__(self, link: Link, ack_timeout: float) -> None:
        self._link = link
        self._ack_timeout = ack_timeout

    @property
    def closed(self) -> bool:
        return self._link.closed

    def check(self) -> None:
        """Raises what ended the connection for good, if anything did."""
        self._link.check()

    async def once(self, event: str, payload: dict[str, Any], within: float | None = None) -> Any:
        """When there is a connection, and never again.

        Raises a `ChatError`, `ConnectionLost`, or TimeoutError (it may have taken effect then),
        after `within` seconds without an ack; the client's own timeout where None. What would not
        fit into a frame is refused before it is sent (`PayloadTooLarge`).
        """
        connection = await self._link.connected_within(CALL_SECONDS)
        self._require_fit(event, payload)
        return await connection.call(event, payload, within or self._ack_timeout)

    def _require_fit(self, event: str, payload: dict[str, Any]) -> None:
        """The server answers a frame that is too large by ending the connection, at each repeat."""
        welcome = self._link.welcome
        most = welcome.limits.get("frame_bytes") if welcome else None
        size = len(event) + len(orjson.dumps(payload)) + ENVELOPE_BYTES
        if most is not None and size > most:
            raise PayloadTooLarge(f"{event} takes {size} bytes; the server takes {most}")

    async def repeat(self, event: str, payload: dict[str, Any]) -> Any:
        """The same for events that may be repeated. Raises `ConnectionLost` after the last try."""
        try:
            return await self._insist(lambda: self.once(event, payload), CALL_SECONDS)
        except TimeoutError as error:
            raise ConnectionLost(f"{event}: no answer within {CALL_SECONDS:g} s") from error

    async def send(self, session_id: str, message: dict[str, Any], within: float) -> Any:
        """One message, until it is acked. Raises `NotAcknowledged` after `within` seconds."""
        payload = {"session_id": session_id, **message}
        try:
            return await self._insist(lambda: self.once("send_message", payload), within)
        except TimeoutError as error:
            raise NotAcknowledged(message["client_message_id"], within) from error

    async def _insist(self, attempt: Callable[[], Awaitable[Any]], within: float) -> Any:
        backoff = Backoff(first=0.05, cap=2.0)
        async with asyncio.timeout(within) as limit:
            while True:
                pause = 0.0
                try:
                    return await attempt()
                except ChatError as error:
                    if not error.retryable:
                        raise
                    pause = (error.retry_after_ms or 0) / 1000
                except ConnectionLost:
                    self._link.check()
                except TimeoutError:
                    # An ack that is late by so much is a connection that does not work.
                    if limit.expired():
                        raise
                    self._link.drop()
                await asyncio.sleep(backoff.next(pause))
