"""What programs that run for long need of the interpreter."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any

YOUNG_OBJECTS = 20_000
"""More containers made than freed start a collection. (Python's own threshold is 700.)"""


def run_long(program: Coroutine[Any, Any, None]) -> None:
    """Runs it to its end, and raises what it raises."""
    spare_the_collector()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(program)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where it exists."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def spare_the_collector() -> None:
    """Lets the cyclic garbage collector look less often, and never at what start-up made.

    References alone free nearly everything here; at Python's own threshold the search for cycles
    took 8 % of a busy server, and its pauses grow with the number of connections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
