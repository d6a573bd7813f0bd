"""The ways in which a request to a model comes to nothing.

    Failure
     ├─ Transient            another attempt may do better
     │   ├─ Unreachable      no connection, or not in time
     │   ├─ Cut              the connection or the body ended before the answer did
     │   ├─ ServerFault      5xx, 408, 409
     │   └─ RateLimited      429
     ├─ TooSlow              a deadline passed
     ├─ Garbage              what came is not a stream of chat completion chunks
     ├─ Empty                an answer without text
     ├─ QuotaSpent           the account is empty
     ├─ Refused              by the content filter, or as a request the endpoint does not take
     │   ├─ BadRequest      400 or 422: it does not take what was sent
     │   └─ OutputLimit      it does not take so low a bound of the answer
     ├─ ContextTooLong       the messages do not fit into the model
     └─ NotConfigured        no key, a wrong one, or no such model
         └─ UnknownLimit     it does not know the field that bounds an answer

Each is for the log, and has a `BotError` for the person. Neither quotes what the endpoint said:
that may hold a part of the key or of what people wrote.
"""

from typing import ClassVar

from chatserver.chat.ports import BotError


class Failure(Exception):
    """Base. `kind` is what is counted, `code` what the person's client is told."""

    kind: str
    code: ClassVar[str]
    message: ClassVar[str]
    retryable: ClassVar[bool]

    def bot_error(self) -> BotError:
        return BotError(self.code, self.message, retryable=self.retryable)


class Transient(Failure):
    """`retry_after` is how long the endpoint asks to be left alone, in seconds."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unreachable(Transient):
    kind = "connect"
    code = "model_unavailable"
    message = "The bot's model cannot be reached right now."
    retryable = True


class Cut(Transient):
    kind = "cut"
    code = "model_unavailable"
    message = "The connection to the bot's model broke before the answer was complete."
    retryable = True


class ServerFault(Transient):
    kind = "server_error"
    code = "model_unavailable"
    message = "The bot's model has a problem right now."
    retryable = True


class RateLimited(Transient):
    kind = "rate_limited"
    code = "quota_exceeded"
    message = "The bot's model is asked too much right now. Try again later."
    retryable = True


class TooSlow(Failure):
    """`kind` names the deadline: `first_token_timeout`, `idle_timeout`, `total_timeout`."""

    code = "model_timeout"
    message = "The bot's model took too long."
    retryable = True

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Garbage(Failure):
    kind = "garbage"
    code = "model_unavailable"
    message = "The bot's model sent something that is no answer."
    retryable = True


class Empty(Failure):
    kind = "empty"
    code = "empty_answer"
    message = "The bot's model answered nothing."
    retryable = True


class QuotaSpent(Failure):
    kind = "quota"
    code = "quota_exceeded"
    message = "The bot's model has no quota left."
    retryable = True


class Refused(Failure):
    kind = "refused"
    code = "model_refused"
    message = "The bot's model refuses to answer this."
    retryable = False


class BadRequest(Refused):
    pass


class OutputLimit(Refused):
    pass


class ContextTooLong(Failure):
    """`stated` is how many tokens the model takes, where the endpoint says so."""

    kind = "context_length"
    code = "context_too_long"
    message = "This message is too long for the bot's model."
    retryable = False

    def __init__(self, detail: str, stated: int | None = None) -> None:
        super().__init__(detail)
        self.stated = stated


class NotConfigured(Failure):
    kind = "not_configured"
    code = "bot_not_configured"
    message = "This bot is not set up correctly. The server's operator can help."
    retryable = False


class UnknownLimit(NotConfigured):
    pass
