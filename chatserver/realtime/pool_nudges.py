"""Hints between reply pools: new prompts, and replies that are to stop."""

import asyncio
import random
from typing import Protocol

from chatserver.chat.ports import Commit
from chatserver.realtime.bus import POOLS, Bus
from chatserver.realtime.frame import Kind, pack, unpack

JITTER_SECONDS = 0.02
"""Longest that another pool hesitates, so that not all of them claim the same prompt."""


class Pool(Protocol):
    """The pool of this instance, as far as hints concern it."""

    @property
    def idle(self) -> int:
        """Workers without a reply."""
        ...

    def hint(self, prompts: int) -> None:
        """So many new prompts wait, as far as is known."""
        ...

    def stop_requested(self, reply_id: str) -> None: ...


class PoolNudges:
    """`chat.ports.ReplyNudge` and commit listener, for all pools there are.

    Hints may get lost: pools look into the store by themselves as well.
    """

    def __init__(self, bus: Bus, origin: bytes, pool: Pool) -> None:
        self._bus = bus
        self._origin = origin
        self._pool = pool
        self._prompts = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._bus.subscribe(POOLS, self._hear)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def committed(self, commit: Commit) -> None:
        """Others hear of the prompts that nobody here is free for."""
        if not commit.prompts:
            return
        beyond = commit.prompts - self._pool.idle
        self._pool.hint(commit.prompts)
        if beyond > 0:
            frame = pack(Kind.PROMPTS, self._origin, beyond)
            self._bus.publish(POOLS, frame, keep=False)

    def stop_requested(self, reply_id: str) -> None:
        self._pool.stop_requested(reply_id)
        frame = pack(Kind.STOP, self._origin, body=reply_id.encode())
        self._bus.publish(POOLS, frame, keep=False)

    def _hear(self, raw: bytes) -> None:
        frame = unpack(raw)
        if frame.kind == Kind.STOP:
            self._pool.stop_requested(frame.body.decode())
        elif frame.kind == Kind.PROMPTS and self._pool.idle:
            self._prompts += frame.number
            if self._timer is None:
                wait = random.random() * JITTER_SECONDS
                self._timer = asyncio.get_running_loop().call_later(wait, self._hint)

    def _hint(self) -> None:
        self._timer = None
        prompts, self._prompts = self._prompts, 0
        self._pool.hint(prompts)
