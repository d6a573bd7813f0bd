"""The lines of the standard input, read beside the connection."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from threading import Thread

CHUNK = 65_536
LONGEST = 1_048_576
"""Bytes of a line; the server takes far less."""
WAITING = 100


class LineTooLong(Exception):
    def __init__(self) -> None:
        super().__init__(f"the line is longer than {LONGEST} bytes")


async def lines() -> AsyncIterator[bytes | LineTooLong]:
    """Without their ends; `LineTooLong` in the place of one that is.

    Read in a thread, as reading blocks, and the connection must answer pings meanwhile; of its own,
    so that nothing waits for a line that never comes when the program ends before its input does.
    """
    queue: asyncio.Queue[bytes | LineTooLong | None] = asyncio.Queue(WAITING)
    loop = asyncio.get_running_loop()

    def put(item: bytes | LineTooLong | None) -> None:
        putting = queue.put(item)
        try:
            asyncio.run_coroutine_threadsafe(putting, loop).result()
        except (RuntimeError, CancelledError):
            putting.close()
            raise SystemExit from None  # of this thread: nobody reads any more

    def read() -> None:
        rest, skipping = b"", False
        while chunk := _read():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if not skipping:
                    put(line)
                skipping = False
            if len(rest) > LONGEST:
                put(LineTooLong())
                skipping = True
            if skipping:
                rest = b""
        if rest:
            put(rest)
        put(None)

    Thread(target=read, name="standard input", daemon=True).start()
    while (item := await queue.get()) is not None:
        yield item


def _read() -> bytes:
    # The descriptor itself: a buffer's lock would be held while the interpreter ends.
    try:
        return os.read(0, CHUNK)
    except OSError:
        return b""  # the terminal, or whoever wrote, is gone
