"""How long a reply may take: to its first piece, between two, and in all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.failures import TooSlow

T = TypeVar("T")

TAIL_SECONDS = 1.0
"""How long usage and `[DONE]` are waited for, once the answer is whole."""


class Deadlines:
    """Those of one reply, in the event loop's time.

    A piece is text of the answer or of the reasoning before it: a model that reasons is alive.
    Keep-alive comments and empty chunks are no pieces, or a proxy in front of a dead model would
    keep its reply open for ever. Only time spent waiting for the endpoint counts as idle.
    """

    def __init__(self, declaration: ModelBotDeclaration) -> None:
        self._clock = asyncio.get_running_loop().time
        self._first_seconds = declaration.first_token_seconds
        self._idle_seconds = declaration.idle_seconds
        self._end = self._clock() + declaration.total_seconds
        self._until = self._end
        self._kind = "total_timeout"
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._passed = False

    @property
    def left(self) -> float:
        """Seconds until the reply's end."""
        return self._end - self._clock()

    def asked(self) -> None:
        """A request begins: its first piece is due."""
        self._expect("first_token_timeout", self._first_seconds)

    def asked_at_once(self) -> None:
        """A request begins whose answer comes as a whole: that is due at the end."""
        self._until, self._kind = self._end, "total_timeout"

    def heard(self, rest: float) -> None:
        """A piece came: the next is due, seconds of `rest` not counted."""
        self._expect("idle_timeout", rest + self._idle_seconds)

    def finished(self) -> None:
        """The answer is whole: what else comes is due soon."""
        self._expect("idle_timeout", min(TAIL_SECONDS, self._idle_seconds))

    async def keep(self, wait: Callable[[], Awaitable[T]]) -> T:
        """Waits no longer than allowed. Raises `TooSlow`."""
        # An endpoint that never lets the loop wait would never meet a timer.
        if self._clock() >= self._until:
            raise TooSlow(self._kind)
        task = asyncio.current_task()
        assert task is not None
        cancelled_before = task.cancelling()
        self._waiting = task
        self._arm()
        try:
            return await wait()
        except asyncio.CancelledError:
            # As in `asyncio.timeout`: whoever else cancelled us is obeyed.
            if self._passed and task.uncancel() <= cancelled_before:
                raise TooSlow(self._kind) from None
            raise
        finally:
            self._waiting = None
            self._passed = False

    def close(self) -> None:
        """Nothing more is waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expect(self, kind: str, seconds: float) -> None:
        until = self._clock() + seconds
        self._until, self._kind = min((until, kind), (self._end, "total_timeout"))

    def _arm(self) -> None:
        """Deadlines move with every piece, the timer only where it would come too late."""
        if self._timer is not None:
            if self._timer.when() <= self._until:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._until, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._clock() < self._until:
            self._arm()
        else:
            self._passed = True
            self._waiting.cancel()
