"""How long to wait before asking a model again."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 0.5
CAP_SECONDS = 8.0
RETRY_AFTER_CAP_SECONDS = 60.0
"""Nobody waits longer for an answer to begin: an endpoint that asks for more is given up."""


def pause_before(attempt: int, asked: float | None, rng: random.Random) -> float | None:
    """Seconds to wait after the failed `attempt` (0 is the first); None: do not try again.

    Exponential with full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015), on top of what the endpoint asked for.
    """
    if asked is not None and asked > RETRY_AFTER_CAP_SECONDS:
        return None
    return (asked or 0.0) + rng.uniform(0, min(CAP_SECONDS, FIRST_SECONDS * 2**attempt))


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds a Retry-After header asks for, in either of its forms (RFC 9110, 10.2.3).

    None where there is none, or none that can be read.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        seconds = (at - now).total_seconds()
    return max(0.0, seconds) if seconds == seconds else None
