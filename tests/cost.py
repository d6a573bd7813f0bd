"""What a call costs. To be held against another call of the same run: machines differ."""

import time
from collections.abc import Callable

TRIES = 5


def cpu_seconds(call: Callable[[], object]) -> float:
    """The least of several, of this thread alone."""

    def once() -> float:
        before = time.thread_time()
        call()
        return time.thread_time() - before

    return min(once() for _ in range(TRIES))


def grows_in_step(call: Callable[[int], object], size: int) -> bool:
    """Whether eight times as much costs about eight times as much, and not 64 times."""
    return cpu_seconds(lambda: call(8 * size)) < 24 * cpu_seconds(lambda: call(size))
