"""The shape of an error, as far as it is the same on every way out."""

from chatserver.chat.models import Model


class ErrorDetails(Model):
    """What programs need to know of a refusal. Fields that do not apply are left out."""

    code: str
    retryable: bool
    field: str | None = None
    retry_after_ms: int | None = None
    correlation_id: str | None = None
    waiting: int | None = None


class ErrorBody(ErrorDetails):
    """The `error` of an ack, and the `data` of a `connect_error`. `message` is for people."""

    message: str
