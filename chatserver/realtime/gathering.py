"""Answers of other instances that somebody waits for."""

import asyncio
from dataclasses import dataclass, field

ANSWER_SECONDS = 0.25
"""Longest wait: an instance that just died counts as a subscriber until Redis notices."""
AGAIN_SECONDS = 0.5


@dataclass(slots=True)
class _Gathering:
    answers: int = 0
    expected: int | None = None
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        if self.expected is not None and self.answers >= self.expected:
            self.complete.set()


class Gatherings:
    """At most one for each session."""

    def __init__(self) -> None:
        self._under_way: dict[str, _Gathering] = {}
        self._asked: dict[str, float] = {}

    async def wait(self, session_id: str, reached: "asyncio.Future[int]") -> bool:
        """Until all whom a question reached have answered, oneself aside, or it takes too long.

        Whether they have.
        """
        gathering = self._under_way[session_id] = _Gathering()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                gathering.expected = await reached - 1
                gathering.check()
                await gathering.complete.wait()
        except TimeoutError:
            return False
        finally:
            if self._under_way.get(session_id) is gathering:
                del self._under_way[session_id]
        return True

    def answered(self, session_id: str) -> None:
        gathering = self._under_way.get(session_id)
        if gathering is not None:
            gathering.answers += 1
            gathering.check()

    def may_ask(self, session_id: str) -> bool:
        """Not more often than every half second."""
        now = asyncio.get_running_loop().time()
        if now - self._asked.get(session_id, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        self._asked[session_id] = now
        return True

    def forget(self, session_id: str) -> None:
        self._asked.pop(session_id, None)
