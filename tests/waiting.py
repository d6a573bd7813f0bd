"""Waiting for what will happen, with a limit; never for time to pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 10.0
"""Seconds after which something that should have happened did not."""

POLL = 0.02


async def eventually(
    check: Callable[[], Any] | Callable[[], Awaitable[Any]],
    *,
    within: float = PATIENCE,
    what: str = "",
) -> Any:
    """Asks `check` until its answer is true, and returns it. For states that nobody announces.

    Raises AssertionError after `within` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        answer = check()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}")
        await asyncio.sleep(POLL)


class Inbox:
    """What a client was told, in order; tests take events out of it as they wait for them."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._waiting: list[tuple[str, Any]] = []
        self._arrived = asyncio.Event()
        self.everything: list[tuple[str, Any]] = []

    def put(self, name: str, payload: Any) -> None:
        self.everything.append((name, payload))
        self._waiting.append((name, payload))
        self._arrived.set()

    async def take(self, name: str, *, within: float = PATIENCE, **fields: Any) -> Any:
        """The first event `name` not taken yet whose fields (or those of its `data`) match.

        Raises AssertionError, with what did arrive, after `within` seconds.
        """
        deadline = asyncio.get_running_loop().time() + within
        while True:
            for index, (arrived, payload) in enumerate(self._waiting):
                if arrived == name and matches(payload, fields):
                    del self._waiting[index]
                    return payload
            self._arrived.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                raise AssertionError(
                    f"{self._owner} was not told {name} {fields} within {within} s, but: "
                    f"{self._waiting[-20:]}"
                ) from None

    def all(self, name: str, **fields: Any) -> list[Any]:
        """Every event `name` that ever arrived and matches, taken or not."""
        return [p for arrived, p in self.everything if arrived == name and matches(p, fields)]

    def about(self, session_id: str) -> list[tuple[str, Any]]:
        """Everything that ever arrived about one session."""
        return [
            (name, payload)
            for name, payload in self.everything
            if isinstance(payload, dict)
            and session_id in (payload.get("session_id"), payload.get("session", {}).get("id"))
        ]


def matches(payload: Any, fields: dict[str, Any]) -> bool:
    """Whether the payload, or its `data`, has all these values."""
    if not isinstance(payload, dict):
        return not fields
    inner = payload.get("data")
    known = {**(inner if isinstance(inner, dict) else {}), **payload}
    return all(key in known and known[key] == value for key, value in fields.items())
