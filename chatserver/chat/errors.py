"""Everything that can be refused, as one tree.

    ChatError
    ├── Unauthorized            unauthorized: no token, or one that nobody issued
    │   ├── TokenExpired        token_expired: renew it in time, or get another
    │   └── TokenRevoked        token_revoked: get another
    ├── InvalidPayload          invalid_payload: wrong shape or value; `field` says where
    │   ├── BlankText           blank_text: a message needs some text
    │   ├── TextTooLong         text_too_long: longer than a message may be
    │   ├── UnknownBot          unknown_bot: this server has no bot of that name
    │   ├── UnknownEvent        unknown_event: there is no such client event
    │   ├── PayloadTooDeep      payload_too_deep: more nested than anything here is
    │   └── PayloadTooLarge     payload_too_large: more bytes than a request may have
    ├── NotFound                not_found: no such thing, or not for you to know
    ├── NotMember               not_member: the session may be joined, but was not
    ├── Forbidden               forbidden: a member, but not with this right
    ├── Conflict                conflict: contradicts what is already stored
    ├── LimitReached
    │   ├── RateLimited         rate_limited: come back after `retry_after_ms`
    │   ├── TooManyInFlight     too_many_in_flight: wait for some answers first
    │   ├── TooManySessions     too_many_sessions: leave or delete one first
    │   ├── SessionFull         session_full: it has as many members as it may have
    │   ├── TooManyBots         too_many_bots: remove one of the session's bots first
    │   ├── TooManyInvites      too_many_invites: revoke the session's invites first
    │   ├── TooManyConnections  too_many_connections: from one address, or in all
    │   ├── SlowConsumer        slow_consumer: too much waited unread; come back, and recover by seq
    │   ├── QuotaExceeded       quota_exceeded: no more replies today (UTC); see `retry_after_ms`
    │   └── Busy                busy: too many replies wait; `waiting` would come before
    └── Temporary
        ├── Unavailable         unavailable: the store did not answer; nothing was changed
        ├── Draining            draining: this instance is about to stop; connect again
        └── Internal            internal: a defect; `correlation_id` finds it in the log

Nothing is stored or broadcast by a request that ends in one of these.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

TREE_LINE = re.compile(r"─ (\w+) +(\w+): (.+)$", re.MULTILINE)
"""An error with a code, as the tree above has it."""


class ChatError(Exception):
    """A refusal with a stable `code`, a sentence for people, and whether a retry can help."""

    code: ClassVar[str]
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        retry_after_ms: int | None = None,
        correlation_id: str | None = None,
        waiting: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_ms = retry_after_ms
        self.correlation_id = correlation_id
        self.waiting = waiting

    def wire(self) -> dict[str, Any]:
        """The `error` object of an ack, or the `data` of a `connect_error`."""
        extra = {
            "field": self.field,
            "retry_after_ms": self.retry_after_ms,
            "correlation_id": self.correlation_id,
            "waiting": self.waiting,
        }
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            **{key: value for key, value in extra.items() if value is not None},
        }


class Unauthorized(ChatError):
    code = "unauthorized"


class TokenExpired(Unauthorized):
    code = "token_expired"


class TokenRevoked(Unauthorized):
    code = "token_revoked"


class InvalidPayload(ChatError):
    code = "invalid_payload"


class BlankText(InvalidPayload):
    code = "blank_text"


class TextTooLong(InvalidPayload):
    code = "text_too_long"


class UnknownBot(InvalidPayload):
    code = "unknown_bot"


class UnknownEvent(InvalidPayload):
    code = "unknown_event"


class PayloadTooDeep(InvalidPayload):
    code = "payload_too_deep"


class PayloadTooLarge(InvalidPayload):
    code = "payload_too_large"


class NotFound(ChatError):
    code = "not_found"


class NotMember(ChatError):
    code = "not_member"


class Forbidden(ChatError):
    code = "forbidden"


class Conflict(ChatError):
    code = "conflict"


class LimitReached(ChatError):
    """Something bounded is full."""


class RateLimited(LimitReached):
    code = "rate_limited"
    retryable = True


class TooManyInFlight(LimitReached):
    code = "too_many_in_flight"
    retryable = True


class TooManySessions(LimitReached):
    code = "too_many_sessions"


class SessionFull(LimitReached):
    code = "session_full"


class TooManyBots(LimitReached):
    code = "too_many_bots"


class TooManyInvites(LimitReached):
    code = "too_many_invites"


class TooManyConnections(LimitReached):
    code = "too_many_connections"
    retryable = True


class SlowConsumer(LimitReached):
    code = "slow_consumer"
    retryable = True


class QuotaExceeded(LimitReached):
    # Not retryable: who repeats by itself would do so for hours, and let a person wait meanwhile.
    code = "quota_exceeded"


class Busy(LimitReached):
    code = "busy"
    retryable = True


class Temporary(ChatError):
    """Nothing is wrong with the request."""


class Unavailable(Temporary):
    code = "unavailable"
    retryable = True


class Draining(Temporary):
    code = "draining"
    retryable = True


class Internal(Temporary):
    code = "internal"


def meanings() -> Iterator[tuple[str, str]]:
    """Each code with what it means, from the tree above; nothing where Python strips docstrings."""
    for _, code, meaning in TREE_LINE.findall(__doc__ or ""):
        yield code, meaning


def _family(parent: type[ChatError]) -> Iterator[type[ChatError]]:
    if "code" in vars(parent):
        yield parent
    for child in parent.__subclasses__():
        yield from _family(child)


CODES: dict[str, type[ChatError]] = {error.code: error for error in _family(ChatError)}
"""The error of each code. (What gateways derive from these brings no code of its own.)"""
