"""When the clients of a server that stops come back to the others."""

import random
from collections.abc import Iterator


def return_delays(
    count: int, first_ms: int, per_second: float, rng: random.Random | None = None
) -> Iterator[int]:
    """A delay in milliseconds for each of `count` clients, in no order.

    The first come after `first_ms`, the others at `per_second`: all at once, they would be a load
    that the other instances never have otherwise. Each has a slot of its own and comes at random
    within it, so the rate is even and no two clients agree.
    """
    rng = rng or random.Random()
    slots = list(range(count))
    rng.shuffle(slots)
    return (first_ms + int((slot + rng.random()) * 1000 / per_second) for slot in slots)
