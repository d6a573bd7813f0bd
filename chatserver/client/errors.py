"""What can go wrong between a client and its server, besides the server's own refusals.

    ClientError
    ├── ConnectionLost     the connection ended before the answer came; it may or may not have
    │   │                  taken effect
    │   └── NotConnected   there was no connection in time; nothing was sent
    ├── NotAcknowledged    (also a TimeoutError) a send got no ack in time; repeat it with the same
    │                      `client_message_id` to find out
    ├── BadAddress         (also a ValueError) a defect of the caller: no server can be there
    ├── ReplyFailed        the bot could not answer; `code`, `retryable`, `reply_id`
    └── EventsTakenTwice   a defect of the caller: one session's events were iterated twice at once

Refusals are `chatserver.chat.errors.ChatError`: `refusal` makes them of what the server said.
"""

from typing import Any

from chatserver.chat.errors import CODES, ChatError


class ClientError(Exception):
    """Raised by the client itself, not by the server."""


class ConnectionLost(ClientError):
    """The connection ended before the answer came; it may or may not have taken effect."""


class NotConnected(ConnectionLost):
    """There was no connection in time; nothing was sent."""


class NotAcknowledged(ClientError, TimeoutError):
    """A send got no ack in time; repeat it with the same `client_message_id` to find out."""

    def __init__(self, client_message_id: str, seconds: float) -> None:
        super().__init__(f"no ack within {seconds:g} s")
        self.client_message_id = client_message_id


class BadAddress(ClientError, ValueError):
    """A defect of the caller: no server can be at such an address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address!r} is no address of a server, such as http://127.0.0.1:8000")


class ReplyFailed(ClientError):
    """The bot could not answer; `retryable` says whether `retry_reply` may help."""

    def __init__(self, reply_id: str, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.reply_id = reply_id
        self.code = code
        self.retryable = retryable


class EventsTakenTwice(ClientError):
    """A defect of the caller: one session's events were iterated twice at once."""


class UnknownRefusal(ChatError):
    """A refusal with a code that this client does not know; a newer server's, perhaps."""

    def __init__(self, message: str, *, code: str, retryable: bool, **details: Any) -> None:
        super().__init__(message, **details)
        self.code = code  # type: ignore[misc]  # only here it is known as late as this
        self.retryable = retryable  # type: ignore[misc]


DETAILS = ("field", "retry_after_ms", "correlation_id", "waiting")


def refusal(error: Any) -> ChatError:
    """The exception for the `error` of an ack, or the `data` of a `connect_error`."""
    if not isinstance(error, dict):
        error = {"code": "internal", "message": str(error)}
    code = str(error.get("code", "internal"))
    message = str(error.get("message", code))
    details = {key: error.get(key) for key in DETAILS}
    if known := CODES.get(code):
        return known(message, **details)
    return UnknownRefusal(
        message, code=code, retryable=bool(error.get("retryable", False)), **details
    )
