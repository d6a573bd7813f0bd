"""What a framed door means by not letting one in."""

from http import HTTPStatus

PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
TAKEN_SECONDS = 60.0
"""How long a name may still be held by the connection of one's own that was lost."""


class Refused(Exception):
    """The server does not let us in, or no longer; the message says how it said so."""


class Refusals:
    """Those of one absence, in order."""

    def __init__(self) -> None:
        self._taken_since: float | None = None

    def weigh(self, status: int, now: float) -> None:
        """Of an attempt at `now`, in seconds. Raises `Refused` where more are of no use."""
        if status != HTTPStatus.FORBIDDEN:
            self._taken_since = None
            if for_good(status):
                raise Refused(refusal(status))
            return
        if self._taken_since is None:
            self._taken_since = now
        if now - self._taken_since >= TAKEN_SECONDS:
            raise Refused(refusal(status))

    def unanswered(self) -> None:
        """Of an attempt that came to no answer: the server may be another one afterwards."""
        self._taken_since = None


def for_good(status: int) -> bool:
    """Whether the same request will get the same answer."""
    return 400 <= status < 500 and status not in PASSING


def refusal(status: int) -> str:
    if status == HTTPStatus.FORBIDDEN:
        return "the name is taken, the token worthless, or nobody let in without one (HTTP 403)"
    return f"the server refuses the connection (HTTP {status})"
